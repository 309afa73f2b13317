// Launches of kernels/unfold.metal: a thread per number of the result.
#include "metal/device.h"
#include "metal/kernels.h"
#include "metal/windows.h"

namespace veem::metal {
namespace {

void launch(const FoldArgs& args, const char* op, bool unfolds) {
  int64_t planes = args.planes * product(args.in), size = item_size(args.dtype);
  int64_t columns = args.planes * product(args.kernel) * product(args.out_size);
  PoolShape shape = window_shape(args, columns, planes, op);
  const Memory& from = unfolds ? args.x : args.out;
  const Memory& to = unfolds ? args.out : args.x;
  int64_t read = unfolds ? planes : columns, made = unfolds ? columns : planes;
  Encoder e("unfold", std::string(op) + "_" + type_name(args.dtype));
  e.buffer(from, read * size).buffer(to, made * size).args(shape).threads(made);
}

}  // namespace

void unfold(const FoldArgs& args) { launch(args, "unfold", true); }

void fold(const FoldArgs& args) { launch(args, "fold", false); }

}  // namespace veem::metal
