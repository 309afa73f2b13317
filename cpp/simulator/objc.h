// Makes Apple's metal-cpp headers talk to software Metal. They call objc_msgSend in one place,
// NS::Object::sendMessage<_Ret, _Args...>(pObj, selector), as a function pointer cast to the
// message's type. Included before them, this turns that into a look-up in our classes, which
// knows the types: receiver, selector and arguments of every message are checked.
#pragma once

#include <objc/runtime.h>

#include <type_traits>
#include <typeinfo>

namespace veem::software {

using Code = void (*)();

// How a type travels in a message: every pointer to an object is an id. What object it is, is
// checked when it arrives.
using id = void*;
template <class T>
constexpr bool is_object_pointer = std::is_pointer_v<T> && !std::is_same_v<T, SEL> &&
                                   std::is_class_v<std::remove_cv_t<std::remove_pointer_t<T>>>;
template <class T>
using Wire = std::conditional_t<
    is_object_pointer<T>, id,
    std::conditional_t<is_object_pointer<std::remove_cv_t<std::remove_pointer_t<T>>>, id*, T>>;

// The method for a message of these types, or null when the receiver is nil; else it raises.
Code find_method(const void* receiver, SEL selector, const std::type_info& types);

template <class R, class... A>
R send_to_nil(const void*, SEL, A...) {  // does nothing and returns zeros, as in Objective-C
  if constexpr (std::is_void_v<R> || std::is_default_constructible_v<R>) {
    return R();
  } else {
    alignas(R) const char zeros[sizeof(R)] = {};
    return *reinterpret_cast<const R*>(zeros);
  }
}

template <class R, class... A>
auto lookup(const void* receiver, SEL selector) {
  using Method = R (*)(const void*, SEL, A...);
  Code f = find_method(receiver, selector, typeid(Wire<R>(Wire<A>...)));
  return f ? reinterpret_cast<Method>(f) : &send_to_nil<R, A...>;
}

}  // namespace veem::software

// A result of more than two words is returned through a pointer before the other arguments: that
// is also how the C++ function that we found returns it, so that one look-up serves all three.
#define objc_msgSend *::veem::software::lookup<_Ret, _Args...>(pObj, selector)
#define objc_msgSend_fpret *::veem::software::lookup<_Ret, _Args...>(pObj, selector)
#define objc_msgSend_stret *::veem::software::lookup<_Ret, _Args...>(pObj, selector)

#if defined(__aarch64__) && !defined(__arm64__)
#define __arm64__ 1  // Apple's name, which metal-cpp asks for
#endif
