// metal-cpp's calls of objc_msgSend are macros here: simulator/objc.h.
#pragma once
#include "runtime.h"
