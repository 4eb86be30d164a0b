#include "core/spec.h"

#include <cctype>
#include <set>

namespace orrery {

namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::vector<SpecPart> Parse() {
    std::vector<SpecPart> parts;
    do parts.push_back(ParsePart());
    while (Accept('+'));
    Skip();
    if (at_ != text_.size()) Fault("'+' or the end");
    return parts;
  }

 private:
  void Skip() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool Accept(char c) {
    Skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  [[noreturn]] void Fault(std::string_view expected) {
    Fail("spec \"{}\": expected {} at character {}{}", text_, expected, at_ + 1,
         at_ < text_.size() ? fmt::format(", got '{}'", text_[at_]) : ", got the end");
  }
  std::string Word(std::string_view expected) {
    Skip();
    const size_t start = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) || std::string_view("._-/:").find(text_[at_]) != std::string_view::npos ||
            (text_[at_] == '+' && at_ > start && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E') &&
             std::isdigit(static_cast<unsigned char>(text_[start])))))
      ++at_;
    if (at_ == start) Fault(expected);
    return std::string(text_.substr(start, at_ - start));
  }
  Json Value() {
    if (Accept('"')) {
      const size_t end = text_.find('"', at_);
      if (end == std::string_view::npos) Fault("a closing '\"'");
      std::string value(text_.substr(at_, end - at_));
      at_ = end + 1;
      return value;
    }
    const std::string word = Word("a value");
    if (word == "true" || word == "false") return word == "true";
    const Json number = Json::parse(word, nullptr, false);
    return number.is_number() ? number : Json(word);
  }
  SpecPart ParsePart() {
    SpecPart part{Word("a name"), {}};
    if (!Accept('(') || Accept(')')) return part;
    do {
      const size_t start = at_;
      SpecPart::Argument argument;
      Skip();
      if (at_ < text_.size() && text_[at_] != '"') {
        const std::string key = Word("an argument");
        if (Accept('='))
          argument.key = key;
        else
          at_ = start;
      }
      argument.value = Value();
      part.arguments.push_back(std::move(argument));
    } while (Accept(','));
    if (!Accept(')')) Fault("',' or ')'");
    return part;
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::vector<SpecPart> ParseSpec(std::string_view text) { return Parser(text).Parse(); }

Json Bind(const SpecPart& part, const Facts& facts) {
  Json bound = Json::object();
  std::vector<std::string> names;
  for (const Param& param : facts.params) {
    bound[param.name] = param.value;
    names.push_back(param.name);
  }
  std::set<std::string> given;
  size_t position = 0;
  for (const auto& [key, value] : part.arguments) {
    if (key.empty() && position >= names.size())
      Fail("{}: takes {} arguments at most, got {}", facts.name, names.size(), part.arguments.size());
    const std::string name = key.empty() ? names[position++] : key;
    if (!bound.contains(name)) FailUnknown(fmt::format("parameter of {}", facts.name), name, names);
    if (!given.insert(name).second) Fail("{}: '{}' is given twice", facts.name, name);
    const Json& fallback = bound[name];
    const bool integer_wanted = fallback.is_number_integer();
    const bool fits = integer_wanted         ? value.is_number_integer()
                      : fallback.is_number() ? value.is_number()
                                             : value.type() == fallback.type();
    if (!fits)
      Fail("{}: '{}' must be {}, got {}", facts.name, name,
           integer_wanted         ? "an integer"
           : fallback.is_number() ? "a number"
                                  : fallback.type_name(),
           value.dump());
    bound[name] = value;
  }
  return bound;
}

std::string FormatSpec(std::string_view name, const Json& arguments) {
  std::string out(name);
  out += '(';
  bool first = true;
  for (const auto& [key, value] : arguments.items()) {
    out += fmt::format("{}{}={}", first ? "" : ", ", key, value.dump());
    first = false;
  }
  return out + ")";
}

}  // namespace orrery
