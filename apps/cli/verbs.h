// The verbs of the program, one file each. A verb adds its subcommand with options, help and an example; its callback runs it.
#pragma once
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "core/spec.h"

namespace orrery::cli {

void AddRecord(CLI::App& app);
void AddImport(CLI::App& app);
void AddTrain(CLI::App& app);  // train codec, train model
void AddRollout(CLI::App& app);
void AddEval(CLI::App& app);
void AddReport(CLI::App& app);
void AddPlay(CLI::App& app);
void AddPack(CLI::App& app);
void AddConvert(CLI::App& app);  // convert oasis
void AddVerify(CLI::App& app);
void AddInfo(CLI::App& app);
void AddWorlds(CLI::App& app);
void AddStates(CLI::App& app);
void AddDynamics(CLI::App& app);

// Name, summary and parameters of an alternative, to standard output.
void Print(const Facts& facts);

// "Example:" at the foot of a verb's help.
inline void Example(CLI::App& verb, const std::string& line) { verb.footer("Example:\n  " + line); }

}  // namespace orrery::cli
