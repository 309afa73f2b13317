// Objects of software Metal that are alive, by class: what tests of leaks count.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace veem::software { std::map<std::string, int64_t> live_objects(); }
