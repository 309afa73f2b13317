// The little of Apple's <objc/runtime.h> that metal-cpp uses; objc.cpp defines it.
#pragma once

struct objc_class;
struct objc_object {};
struct objc_selector {};
using SEL = const objc_selector*;

extern "C" {
SEL sel_registerName(const char* name);
objc_class* objc_lookUpClass(const char* name);
void* objc_getProtocol(const char* name);
}
