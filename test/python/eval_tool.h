// Commands of eval_tool, for Python tests of the evaluation. A source file eval_tool_*.cpp registers its own:
//   const EvalCommand kSsim("ssim", [](const Json& options, const TensorFile& in) { return ToolResult{...}; });
#pragma once
#include <functional>
#include <map>
#include <string>

#include "core/config.h"
#include "core/safetensors.h"

namespace orrery {

struct ToolResult {
  Json values = Json::object();  // printed
  NamedTensors tensors;          // written, if a file is asked for
};

// `in` holds the tensors that Python sent, none if it sent none.
using ToolFunction = std::function<ToolResult(const Json& options, const TensorFile& in)>;

inline std::map<std::string, ToolFunction>& EvalCommands() {
  static std::map<std::string, ToolFunction> commands;
  return commands;
}

struct EvalCommand {
  EvalCommand(const std::string& name, ToolFunction run) {
    const bool first = EvalCommands().emplace(name, std::move(run)).second;
    ORRERY_CHECK(first);
  }
};

}  // namespace orrery
