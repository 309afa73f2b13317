#include "core/ops_matmul.h"

#include "bindings/families.h"
#include "bindings/native.h"

namespace veem {

namespace {

Activation activation_of(const std::string& name) {
  const std::pair<const char*, Activation> names[] = {
      {"relu", Activation::Relu},          {"gelu", Activation::Gelu},
      {"gelu_tanh", Activation::GeluTanh}, {"silu", Activation::Silu},
      {"sigmoid", Activation::Sigmoid},    {"tanh", Activation::Tanh},
  };
  for (const auto& [known, activation] : names)
    if (name == known) return activation;
  raise(ErrorKind::Value, "linear", name, " is not a fused activation; those are 'relu', 'gelu', ",
        "'gelu_tanh', 'silu', 'sigmoid' and 'tanh'; call any other on the result");
}

}  // namespace

void bind_matmul() {
  def_wide("matmul", [](const Array& a, const Array& b) { return matmul(a, b); });
  def_wide("linear",
           [](const Array& x, const Array& w, const Array* bias) { return linear(x, w, bias); });
  def_wide("linear_activation",
           [](const Array& x, const Array& w, const Array* bias, const std::string& activation) {
             return linear(x, w, bias, activation_of(activation));
           });
}

}  // namespace veem
