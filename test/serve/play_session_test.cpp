#include "serve/play_session.h"

#include <gtest/gtest.h>

#include "serve/film.h"
#include "toy_world.h"

namespace orrery {
namespace {

PlaySession Make(PlayLimits limits = {}) { return PlaySession(std::make_unique<ToyWorld>(ToyOptions{}), limits); }
const Action kForward = {1};

TEST(PlaySession, CountsFramesAndTicks) {
  PlaySession session = Make();
  const PicturePtr first = session.Reset(4);
  EXPECT_EQ(first->sequence, 1u);
  EXPECT_EQ(first->tick, 0u);
  EXPECT_TRUE(first->jump);
  const PicturePtr second = session.Step(kForward);
  EXPECT_EQ(second->sequence, 2u);
  EXPECT_EQ(second->tick, 1u);
  EXPECT_FALSE(second->jump);
  EXPECT_EQ(second->action, kForward);
  EXPECT_NE(second->rgb, first->rgb);
  const PicturePtr again = session.Reset(4);
  EXPECT_EQ(again->sequence, 3u);
  EXPECT_EQ(again->tick, 0u);
  EXPECT_EQ(again->rgb, first->rgb);
}

TEST(PlaySession, RefusesActionsThatDoNotFit) {
  PlaySession session = Make();
  session.Reset(0);
  EXPECT_THROW(session.Step(Action{99}), Error);
  EXPECT_THROW(session.Step(Action{1, 1}), Error);
  EXPECT_EQ(session.Step(kForward)->tick, 1u);
}

TEST(PlaySession, RewindsToWhatWasKept) {
  PlaySession session = Make();
  session.Reset(1);
  session.Step(kForward);
  const int64_t id = session.Keep();
  const PicturePtr next = session.Step(kForward);
  session.Reset(2);
  const PicturePtr back = session.Rewind(id);
  EXPECT_EQ(back->tick, 1u);
  EXPECT_EQ(session.Seed(), 1u);
  EXPECT_EQ(session.Step(kForward)->rgb, next->rgb);
  session.Forget(id);
  EXPECT_THROW(session.Rewind(id), Error);
  EXPECT_THROW(session.Forget(id), Error);
}

TEST(PlaySession, KeepsOnlyTheNewestStates) {
  PlayLimits limits;
  limits.keep_count = 2;
  PlaySession session = Make(limits);
  session.Reset(0);
  const int64_t first = session.Keep();
  session.Keep();
  session.Keep();
  EXPECT_EQ(session.KeptStates().size(), 2u);
  EXPECT_THROW(session.Rewind(first), Error);
}

TEST(PlaySession, StatesAreBoundedInBytes) {
  PlayLimits limits;
  const size_t one = ToyWorld(ToyOptions{}).Snapshot().size();
  limits.keep_bytes = 2 * one + 1;
  PlaySession session = Make(limits);
  session.Reset(0);
  for (int i = 0; i < 5; ++i) session.Keep();
  EXPECT_EQ(session.KeptStates().size(), 2u);
  limits.keep_bytes = one - 1;
  PlaySession small = Make(limits);
  EXPECT_THROW(small.Keep(), Error);
}

TEST(PlaySession, TheFilmForgetsItsBeginning) {
  PlayLimits limits;
  limits.film_bytes = 3 * 64 * 64 * 3;
  PlaySession session = Make(limits);
  session.Reset(0);
  for (int i = 0; i < 5; ++i) session.Step(kForward);
  const auto film = session.Film();
  ASSERT_EQ(film.size(), 3u);
  EXPECT_EQ(film.front()->tick, 3u);
  EXPECT_EQ(film.back()->tick, 5u);
}

TEST(Film, RefusesOtherFormatsAndNothing) {
  PlaySession session = Make();
  session.Reset(0);
  FilmOptions options;
  EXPECT_THROW(EncodeFilm({}, options), Error);
  options.format = "mp3";
  EXPECT_THROW(EncodeFilm(session.Film(), options), Error);
}

}  // namespace
}  // namespace orrery
