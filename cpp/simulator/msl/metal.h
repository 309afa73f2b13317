// The Metal standard library of translated kernels.
#pragma once
#include "matrix.h"
