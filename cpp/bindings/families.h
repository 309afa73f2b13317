// What each file here adds to the module.
#pragma once

namespace veem {

void bind_elementwise();
void bind_views();
void bind_copy();

}  // namespace veem
