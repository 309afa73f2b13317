// Fills the table of kernels for one instruction set.
#include "cpu/kernels.h"

namespace veem {
namespace VEEM_ISA {

void fill(Kernels* table) {
#define VEEM_FAMILY(name, Args) table->name = name;
  VEEM_FAMILIES(VEEM_FAMILY)
#undef VEEM_FAMILY
}

}  // namespace VEEM_ISA
}  // namespace veem
