// orrery: build, train, run and play video world models.
#include "cli/verbs.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/signals.h"

namespace orrery::cli {
namespace {

// The subcommand that was being parsed when an argument was not understood.
const CLI::App* Deepest(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  return at;
}

// "unknown option '--ot'; did you mean '--out'?" for the first argument left over.
std::string Unknown(const CLI::App& app) {
  const CLI::App* verb = Deepest(app);
  std::string argument;
  for (const std::string& left : app.remaining(true))
    if (argument.empty() || (left.starts_with("-") && !argument.starts_with("-"))) argument = left;
  std::vector<std::string> names;
  const bool option = argument.starts_with("-");
  if (option)
    for (const CLI::Option* o : verb->get_options())
      for (const std::string& name : o->get_lnames()) names.push_back("--" + name);
  else
    for (const CLI::App* s : verb->get_subcommands([](const CLI::App*) { return true; })) names.push_back(s->get_name());
  const std::string plain = argument.substr(0, argument.find('='));
  const std::string nearest = Nearest(plain, names);
  return fmt::format("unknown {} '{}'{}; see 'orrery{} --help'", option ? "option" : "argument", plain,
                     nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest),
                     verb->get_name().empty() || verb == &app
                         ? ""
                         : " " + (verb->get_parent() != &app ? verb->get_parent()->get_name() + " " : "") + verb->get_name());
}

int Run(int argc, char** argv) {
  CLI::App app("Orrery: video world models with explicit state and dynamics. Build, train, run, play and test them.", "orrery");
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  app.set_version_flag("--version", ORRERY_VERSION);
  AddRecord(app);
  AddImport(app);
  AddTrain(app);
  AddRollout(app);
  AddEval(app);
  AddReport(app);
  AddPlay(app);
  AddPack(app);
  AddConvert(app);
  AddVerify(app);
  AddInfo(app);
  AddWorlds(app);
  AddStates(app);
  AddDynamics(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError&) {
    fmt::print(stderr, "orrery: {}\n", Unknown(app));
    return 2;
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    const std::string left = app.remaining(true).empty() ? e.what() : Unknown(app);
    fmt::print(stderr, "orrery: {}\n", left);
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace orrery::cli

int main(int argc, char** argv) {
  orrery::CatchStopSignals();
  try {
    return orrery::cli::Run(argc, argv);
  } catch (const orrery::Interrupted&) {
    fmt::print(stderr, "orrery: interrupted\n");
    return 130;
  } catch (const orrery::Error& e) {
    fmt::print(stderr, "orrery: {}\n", e.what());
    return 2;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "orrery: out of memory; try a smaller --batch\n");
    return 2;
  } catch (const std::exception& e) {
    fmt::print(stderr, "orrery: internal error: {}\n", e.what());
    return 1;
  }
}
