//===- Vms.h - the subcommands that are about VMs -------------------------===//

#ifndef SPACER_RUNTIME_VMS_H
#define SPACER_RUNTIME_VMS_H

#include "Command.h"
#include "Vm.h"

namespace spacer {

void addRun(CLI::App &app, Session &session);
void addSnapshot(CLI::App &app, Session &session);
void addClone(CLI::App &app, Session &session);
void addList(CLI::App &app, Session &session);    ///< ls
void addLife(CLI::App &app, Session &session);    ///< stop rm wait pause resume
void addConsole(CLI::App &app, Session &session); ///< logs attach

/// --root, absolute.
std::filesystem::path rootPath(const Session &session);
/// "128M", "2G", "512" (MiB); Failure otherwise.
uint64_t parseMiB(const std::string &text);
/// "12.3M" of bytes, for tables.
std::string humanBytes(uint64_t bytes);
/// Columns wide enough; the first row is the heading.
void printTable(const std::vector<std::vector<std::string>> &rows);
/// Attaches standard input and output; the exit code to end with.
int attachTo(const Vm &vm, int64_t fromByte, double idleSeconds);

} // namespace spacer

#endif
