#pragma once

#include <string>
#include <vector>

namespace veem {

const char* cpu_isa();                  // the instruction set in use: "v2", "v3", "v4", or "native"
std::vector<std::string> built_isas();  // those that kernels were compiled for
std::vector<std::string> runnable_isas();  // those among them that this processor has

}  // namespace veem
