#include "core/shape.h"

#include "core/array.h"
#include "core/backend.h"
#include "test.h"

using namespace veem;

TEST("shapes: numel and strides") {
  CHECK_EQUAL(numel({}), 1);
  CHECK_EQUAL(numel({2, 3, 4}), 24);
  CHECK_EQUAL(numel({1ll << 40, 0, 1ll << 40}), 0);
  CHECK_RAISES(Runtime, "63 bits", numel({1ll << 32, 1ll << 32}));
  CHECK_EQUAL(contiguous_strides({2, 3, 4}), Dims({12, 4, 1}));
  CHECK(is_contiguous({2, 1, 3}, {3, 99, 1}));
  CHECK(is_contiguous({0, 5}, {7, 7}));
  CHECK(!is_contiguous({2, 3}, {1, 2}));
}

TEST("shapes: more dimensions than fit are refused") {
  Dims d(kMaxDims, 1);
  CHECK_RAISES(Runtime, "at most 16 dimensions", d.push_back(1));
}

TEST("shapes: negative dimensions count from the end") {
  CHECK_EQUAL(wrap_dim(-1, 3, "op"), 2);
  CHECK_EQUAL(wrap_dim(-1, 0, "op"), 0);
  CHECK_RAISES(Index, "range of [-3, 2], but got 3", wrap_dim(3, 3, "op"));
  CHECK_RAISES(Index, "range of [-1, 0]", wrap_dim(1, 0, "op"));
}

TEST("shapes: broadcasting") {
  CHECK_EQUAL(broadcast({2, 1, 4}, {3, 1}, "add"), Dims({2, 3, 4}));
  CHECK_EQUAL(broadcast({}, {5}, "add"), Dims({5}));
  CHECK_EQUAL(broadcast({1}, {0}, "add"), Dims({0}));
  CHECK_RAISES(Runtime, "add: shapes [2] and [3]", broadcast({2}, {3}, "add"));
  CHECK_EQUAL(broadcast_strides({3, 1}, {1, 1}, {2, 3, 4}), Dims({0, 1, 0}));
}

TEST("shapes: one size can be inferred") {
  CHECK_EQUAL(infer_size({2, -1}, 6, "view"), Dims({2, 3}));
  CHECK_RAISES(Runtime, "only one dimension", infer_size({-1, -1}, 6, "view"));
  CHECK_RAISES(Runtime, "invalid for input of size 6", infer_size({4, -1}, 6, "view"));
  CHECK_RAISES(Runtime, "cannot infer", infer_size({0, -1}, 0, "view"));
}

TEST("shapes: which views need no copy") {
  Dims strides;
  CHECK(view_strides({2, 3, 4}, {12, 4, 1}, {6, 4}, &strides));
  CHECK_EQUAL(strides, Dims({4, 1}));
  CHECK(view_strides({4, 2, 3}, {1, 12, 4}, {4, 6}, &strides));  // permuted, its tail in order
  CHECK_EQUAL(strides, Dims({1, 4}));
  CHECK(!view_strides({3, 2}, {1, 3}, {6}, &strides));  // transposed
  CHECK(view_strides({}, {}, {1, 1}, &strides));
  CHECK(view_strides({3}, {0}, {3, 1}, &strides));  // expanded
  CHECK_EQUAL(strides[0], 0);
}

TEST("shapes: dimensions that every operand walks as one are merged") {
  Dims shape = {2, 3, 1, 4}, a = {12, 4, 4, 1}, b = {0, 4, 4, 1};
  Dims* lists[] = {&a, &b};
  collapse(&shape, lists, 1);
  CHECK_EQUAL(shape, Dims({24}));
  shape = {2, 3, 1, 4}, a = {12, 4, 4, 1};
  collapse(&shape, lists, 2);
  CHECK_EQUAL(shape, Dims({2, 12}));
  CHECK_EQUAL(a, Dims({12, 1}));
  CHECK_EQUAL(b, Dims({0, 1}));
}

TEST("views: share the storage and are checked") {
  Array x = empty({4, 6}, DType::Float32, cpu());
  Array y = slice(transpose(x, 0, 1), 0, 1, 6, 2);
  CHECK_EQUAL(y.shape, Dims({3, 4}));
  CHECK_EQUAL(y.strides, Dims({2, 6}));
  CHECK_EQUAL(y.data() - x.data(), 4);
  CHECK(y.storage.get() == x.storage.get());
  CHECK_EQUAL(select(x, -1, -1).offset, 5);
  CHECK_RAISES(Index, "", select(x, 0, 4));
  CHECK_RAISES(Runtime, "reach beyond", as_strided(x, {5}, {6}, 0));
  int64_t huge = int64_t{1} << 62;  // products and sums that come round to a small number
  CHECK_RAISES(Runtime, "reach beyond", as_strided(x, {2, 2}, {huge, huge}, 0));
  CHECK_RAISES(Runtime, "reach beyond", as_strided(x, {5}, {huge}, 0));
  CHECK_RAISES(Runtime, "reach beyond", as_strided(x, {3}, {huge}, huge));
  CHECK_RAISES(Runtime, "", reshape_view(transpose(x, 0, 1), {24}));
  CHECK_RAISES(Runtime, "", expand(x, {3, 6}));
  CHECK_RAISES(Runtime, "negative size", empty({-1}, DType::Float32, cpu()));
}
