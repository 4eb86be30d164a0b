// Runs parts of the evaluation for the Python tests.
//   eval_tool COMMAND OPTIONS IN OUT    OPTIONS: a JSON object; IN, OUT: safetensors files, - for none. Prints a JSON object.
#include "eval_tool.h"

#include <cstdio>

#include "core/error.h"

namespace orrery {
namespace {

void Run(int argc, char** argv) {
  if (argc != 5) Fail("expected COMMAND OPTIONS IN OUT");
  const std::string in = argv[3], out = argv[4];
  const auto command = EvalCommands().find(argv[1]);
  if (command == EvalCommands().end()) {
    std::vector<std::string> names;
    for (const auto& [name, run] : EvalCommands()) names.push_back(name);
    FailUnknown("command", argv[1], names);
  }
  const ToolResult result = command->second(ParseJson(argv[2], "OPTIONS"), in == "-" ? TensorFile{} : LoadSafetensors(in));
  if (out != "-") SaveSafetensors(out, result.tensors);
  std::printf("%s\n", (result.values.is_null() ? Json::object() : result.values).dump().c_str());
}

}  // namespace
}  // namespace orrery

int main(int argc, char** argv) {
  try {
    orrery::Run(argc, argv);
  } catch (const orrery::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
