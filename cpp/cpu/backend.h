#pragma once

namespace veem {

const char* cpu_isa();  // the instruction set in use: "v2", "v3", "v4", or "native"

}  // namespace veem
