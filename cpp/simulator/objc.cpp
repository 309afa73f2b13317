// Selectors, the classes by name, who is alive, and the look-up of methods. Objects that died are
// kept for a while as zombies, so that a message to one is told from a message to another object
// that was made at its address.
#include "simulator/object.h"

#include <deque>
#include <mutex>
#include <set>

#include "simulator/foundation.h"
#include "simulator/metal.h"

namespace veem::software {

namespace {

constexpr size_t kZombies = 4096;

struct Known {
  const Class* type;
  enum { Alive, Dead, AClass } what;
};
struct Runtime {
  std::mutex mutex;
  std::unordered_map<const void*, Known> objects;
  std::deque<void*> zombies;
};
Runtime& runtime() {
  static auto* r = new Runtime;
  return *r;
}

thread_local struct {
  const Class* type = nullptr;
  SEL selector = nullptr;
  bool of_class = false;
} sent;

const char* text_of(SEL selector) { return reinterpret_cast<const char*>(selector); }

using Classes = std::map<std::string, const Class*, std::less<>>;
Classes& classes() {
  static auto* all = [] {
    auto* found = new Classes;
    for (const Class* c :
         {&Object::type(), &String::type(), &Error::type(), &Array::type(),
          &AutoreleasePool::type(), &Device::type(), &CompileOptions::type(), &Library::type(),
          &FunctionConstantValues::type(), &Function::type(), &ComputePipelineState::type(),
          &Binding::type(), &PipelineReflection::type(), &Buffer::type(), &CommandQueue::type(),
          &CommandBuffer::type(), &ComputeCommandEncoder::type()})
      found->emplace(c->name, c);
    return found;
  }();
  return *all;
}

// What a pointer in a message points to; raises when that is dead or nothing at all.
Known known(const void* pointer, const char* role) {
  Runtime& r = runtime();
  std::lock_guard<std::mutex> lock(r.mutex);
  auto found = r.objects.find(pointer);
  if (found == r.objects.end()) misuse("the ", role, " at ", pointer, " is not an object");
  if (found->second.what == Known::Dead)
    misuse("the ", role, ", a ", found->second.type->name, ", was released before");
  return found->second;
}

}  // namespace

Class::Class(const char* name, const Class* parent, Object* (*create)(),
             std::initializer_list<Method> methods, std::initializer_list<Method> class_methods)
    : name(name), parent(parent), create(create) {
  for (const Method& m : methods) this->methods.emplace(sel_registerName(m.selector), m);
  for (const Method& m : class_methods)
    this->class_methods.emplace(sel_registerName(m.selector), m);
  std::lock_guard<std::mutex> lock(runtime().mutex);
  runtime().objects[this] = {this, Known::AClass};
}

const Method* Class::find(SEL selector) const {
  for (const Class* c = this; c; c = c->parent)
    if (auto m = c->methods.find(selector); m != c->methods.end()) return &m->second;
  return nullptr;
}

bool Class::is_a(const Class& other) const {
  return this == &other || (parent && parent->is_a(other));
}

std::string current_message() {
  if (!sent.selector) return "no message";
  return (sent.of_class ? "+[" : "-[") + (sent.type ? sent.type->name : "?") + " " +
         text_of(sent.selector) + "]";
}

Object* allocate() {  // alloc, sent to a class
  const Class& type = *sent.type;
  if (!type.create) misuse("software Metal has no such class, or only methods of others make it");
  return type.create();
}

Code find_method(const void* receiver, SEL selector, const std::type_info& types) {
  if (!receiver) return nullptr;
  static const Method alloc = method<allocate>("alloc");
  static const SEL alloc_selector = sel_registerName("alloc");
  sent = {nullptr, selector, false};
  auto [type, what] = known(receiver, "receiver");
  sent = {type, selector, what == Known::AClass};
  const Method* found = nullptr;
  if (what == Known::Alive) {
    found = type->find(selector);
  } else if (selector == alloc_selector) {
    found = &alloc;
  } else if (auto m = type->class_methods.find(selector); m != type->class_methods.end()) {
    found = &m->second;
  }
  if (!found) misuse("unknown selector: software Metal has no such method");
  if (*found->types != types)
    misuse("sent with the types ", types.name(), ", but they are ", found->types->name());
  return found->code;
}

Object* checked(const void* pointer, const Class& wanted) {
  auto [type, what] = known(pointer, "argument");
  if (what == Known::AClass || !type->is_a(wanted))
    misuse("an argument is a ", type->name, ", not a ", wanted.name);
  return static_cast<Object*>(const_cast<void*>(pointer));
}

std::map<std::string, int64_t> live_objects() {
  std::map<std::string, int64_t> out;
  for (auto& [name, c] : classes())
    if (c->live) out[name] = c->live;
  return out;
}

// ---- NSObject -----------------------------------------------------------------------------

Object::Object(const Class& isa) : isa(isa) {
  Runtime& r = runtime();
  std::lock_guard<std::mutex> lock(r.mutex);
  r.objects[this] = {&isa, Known::Alive};
  ++isa.live;
}

Object* Object::retain() {
  ++refs;
  return this;
}

void Object::release() {
  if (refs == 0) misuse("it was released as often as retained; something of Metal's keeps it");
  if (--refs == 0 && kept == 0) die();
}

void Object::drop() {
  if (--kept == 0 && refs == 0) die();
}

void Object::die() {
  Runtime& r = runtime();
  {
    std::lock_guard<std::mutex> lock(r.mutex);
    if (std::exchange(r.objects[this].what, Known::Dead) == Known::Dead) return;  // two at once
  }
  --isa.live;
  this->~Object();
  std::lock_guard<std::mutex> lock(r.mutex);
  r.zombies.push_back(this);
  if (r.zombies.size() <= kZombies) return;
  r.objects.erase(r.zombies.front());
  ::operator delete(r.zombies.front());
  r.zombies.pop_front();
}

Object* Object::autorelease() {
  AutoreleasePool* pool = AutoreleasePool::current();
  if (!pool) misuse("a ", isa.name, " is autoreleased and no NSAutoreleasePool is open: it leaks");
  pool->add(this);
  return this;
}

Object* Object::description() { return autoreleased(new String("<" + isa.name + ">")); }

const Class& Object::type() {
  static const Class c(
      "NSObject", nullptr, nullptr,
      {method<&Object::retain>("retain"), method<&Object::release>("release"),
       method<&Object::autorelease>("autorelease"), method<&Object::retain_count>("retainCount"),
       method<&Object::init>("init"), method<&Object::hash>("hash"),
       method<&Object::is_equal>("isEqual:"), method<&Object::description>("description"),
       method<&Object::responds_to>("respondsToSelector:"),
       method<&Object::method_signature>("methodSignatureForSelector:")});
  return c;
}

}  // namespace veem::software

// ---- the C functions that metal-cpp calls -------------------------------------------------

using veem::software::Class;

SEL sel_registerName(const char* name) {
  static auto* mutex = new std::mutex;
  static auto* names = new std::set<std::string, std::less<>>;
  std::lock_guard<std::mutex> lock(*mutex);
  return reinterpret_cast<SEL>(names->emplace(name).first->c_str());
}

// A class that software Metal lacks has no methods: the first message to it says so.
objc_class* objc_lookUpClass(const char* name) {
  auto& all = veem::software::classes();
  auto found = all.find(name);
  if (found == all.end()) found = all.emplace(name, new Class(name, nullptr, nullptr, {})).first;
  return reinterpret_cast<objc_class*>(const_cast<Class*>(found->second));
}

void* objc_getProtocol(const char*) { return nullptr; }
