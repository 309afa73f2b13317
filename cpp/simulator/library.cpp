// Libraries: shared objects made from Metal source by translate.py, found by the hash of the text.
#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>

#include "simulator/module.h"

namespace veem::simulator {
namespace fs = std::filesystem;
namespace {

uint64_t fnv(const std::string& text, uint64_t h = 0xcbf29ce484222325) {
  for (unsigned char c : text) h = (h ^ c) * 0x100000001b3;
  return h;
}
std::string hex(uint64_t h) {
  char out[17];
  std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(h));
  return out;
}
std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// simulator/ beside this module: the translator, and veem's own kernels translated.
fs::path home() {
  if (const char* set = std::getenv("VEEM_SIMULATOR_HOME")) return set;
  Dl_info self;
  dladdr(reinterpret_cast<void*>(&home), &self);
  return fs::absolute(self.dli_fname).parent_path() / "simulator";
}

// Translations of other sources; of another translator's they are of no use.
fs::path cache() {
  const char *set = std::getenv("XDG_CACHE_HOME"), *user = std::getenv("HOME");
  fs::path root = set && *set ? fs::path(set) : fs::path(user ? user : "/tmp") / ".cache";
  std::vector<fs::path> files;
  for (auto& entry : fs::recursive_directory_iterator(home() / "msl"))
    if (entry.is_regular_file()) files.push_back(entry.path());
  for (auto& entry : fs::directory_iterator(home()))
    if (entry.path().extension() == ".py") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  const char* compiler = std::getenv("VEEM_SIMULATOR_CXX");
  uint64_t h = fnv(compiler ? compiler : "");
  for (auto& file : files) h = fnv(read(file), h);
  return root / "veem" / ("simulator-" + hex(h));
}

// Runs translate.py; throws what it says.
void translate(const std::string& source, const fs::path& folder, const std::string& variant,
               bool fast_math) {
  fs::create_directories(folder);
  std::string text = (folder / ("source-" + std::to_string(getpid()) + ".metal")).string();
  std::ofstream(text, std::ios::binary) << source;
  std::vector<std::string> words = {
      python(), (home() / "translate.py").string(), text, "--folder", folder.string(), "--variant",
      variant};
  if (fast_math) words.push_back("--fast-math");
  std::vector<char*> argv;
  for (auto& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);

  int out[2];
  if (pipe(out) != 0) throw CompileError("the Metal simulator could not make a pipe");
  pid_t child = fork();
  if (child == 0) {
    dup2(out[1], 2);
    dup2(out[1], 1);
    close(out[0]);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  close(out[1]);
  std::string said;
  char block[4096];
  for (ssize_t n; (n = ::read(out[0], block, sizeof block)) != 0;) {
    if (n > 0) said.append(block, size_t(n));
    else if (errno != EINTR) break;
  }
  close(out[0]);
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  fs::remove(text);
  if (child < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127))
    throw CompileError("the Metal simulator needs Python to translate a kernel, and " + python() +
                       " was not found: set VEEM_PYTHON");
  while (!said.empty() && said.back() == '\n') said.pop_back();
  if (status != 0) throw CompileError(said);
}

std::shared_ptr<Library> open(const fs::path& path) {
  auto library = std::make_shared<Library>();
  auto module = library->module = std::make_shared<Module>();
  module->path = path.string();
  module->handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!module->handle) {
    std::string said = dlerror();
    size_t at = said.find("undefined symbol: ");
    if (at == std::string::npos) throw CompileError("a translated kernel: " + said);
    std::string symbol = said.substr(at + 18);
    std::unique_ptr<char, void (*)(void*)> name(
        abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, nullptr), std::free);
    throw CompileError((name ? name.get() : symbol) + " is called, but nowhere defined");
  }
  module->raw = static_cast<veem_msl::Library*>(dlsym(module->handle, "veem_library"));
  module->raw->hooks = hooks();
  auto* map = static_cast<link_map*>(module->handle);
  module->base = map->l_addr;
  auto* header = reinterpret_cast<const ElfW(Ehdr)*>(map->l_addr);
  auto* segment = reinterpret_cast<const ElfW(Phdr)*>(map->l_addr + header->e_phoff);
  for (int i = 0; i < header->e_phnum; ++i)
    if (segment[i].p_type == PT_LOAD)
      module->bytes = std::max<uint64_t>(module->bytes, segment[i].p_vaddr + segment[i].p_memsz);

  for (auto* k = module->raw->kernels; k; k = k->next) {
    Kernel kernel{k->name, k->file, k->line, {}, {}, k->entry};
    for (int i = 0; i < k->count; ++i) {
      const auto& p = k->parameters[i];
      if (p.space == veem_msl::kAttribute) {
        kernel.arguments.push_back(-1 - p.index);
      } else {
        kernel.arguments.push_back(int(kernel.parameters.size()));
        kernel.parameters.push_back({Parameter::Kind(p.space), p.index, p.name, p.type, p.size,
                                     p.alignment, p.reference, p.writable});
      }
    }
    library->kernels.push_back(std::move(kernel));
  }
  std::reverse(library->kernels.begin(), library->kernels.end());  // as in the source
  for (auto* c = module->raw->constants; c; c = c->next)
    library->constants.push_back({c->name, c->index, c->size, c->value, c->defined});
  return library;
}

}  // namespace

std::string& python() {
  static std::string command = [] {
    const char* set = std::getenv("VEEM_PYTHON");
    return std::string(set ? set : "python3");
  }();
  return command;
}

std::shared_ptr<Library> Library::load(const std::string& source) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<Library>> loaded;  // never unloaded
  std::lock_guard<std::mutex> lock(mutex);
  const Options& o = options();
  std::string variant = o.checks ? "checked" : "plain", key = hex(fnv(source)) + "." + variant;
  std::string name = key + (o.fast_math ? "-fast-math.so" : ".so");
  if (auto found = loaded.find(name); found != loaded.end()) return found->second;
  fs::path path = home() / name;
  if (!fs::exists(path)) {
    fs::path folder = cache();
    path = folder / name;
    if (!fs::exists(path)) translate(source, folder, variant, o.fast_math);
  }
  auto library = open(path);
  library->module->source = source;
  loaded[name] = library;
  return library;
}

const Kernel* Library::find(const std::string& name) const {
  for (auto& kernel : kernels)
    if (name == kernel.name) return &kernel;
  return nullptr;
}

}  // namespace veem::simulator
