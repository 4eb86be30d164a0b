// Spec strings: "window(16) + retrieval.pose(k=4) + ssm()".
//   spec  := part (" + " part)*        part := name [ "(" [arg ("," arg)*] ")" ]
//   arg   := [key "="] value           value := number | true | false | text | "quoted text"
// An argument without a key fills the parameter of its position.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"

namespace orrery {

struct SpecPart {
  struct Argument {
    std::string key;  // empty: positional
    Json value;
  };
  std::string name;
  std::vector<Argument> arguments;
};

// Throws Error that shows the place of the fault.
std::vector<SpecPart> ParseSpec(std::string_view text);

// One parameter of an alternative. The default's kind is the parameter's kind.
struct Param {
  std::string name;
  Json value;       // default
  std::string doc;  // meaning, unit, range
};

// What an alternative says of itself before its code.
struct Facts {
  std::string name;
  std::string summary;
  std::string source;  // paper, arXiv id; or "own"
  std::vector<Param> params;
};

// The arguments of `part` over the defaults of `facts`, as an object with every parameter in order.
// Throws Error on an unknown key (listing the valid ones), a wrong kind, too many arguments, a key given twice.
Json Bind(const SpecPart& part, const Facts& facts);

// The canonical text of bound arguments: "name(key=value, ...)".
std::string FormatSpec(std::string_view name, const Json& arguments);

}  // namespace orrery
