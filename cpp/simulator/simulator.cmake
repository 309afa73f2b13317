# Software Metal: the classes under Apple's headers, the engine that runs kernels, and veem's own
# kernels translated for it.
if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 16)
  message(FATAL_ERROR "The Metal simulator needs clang 16 or newer (this is \
${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}): sudo apt-get install clang-16, \
or without root: pip install ziglang; then configure in an empty build folder")
endif()

set(SIMULATOR ${CMAKE_CURRENT_LIST_DIR})
set(APPLE_STUBS ${SIMULATOR}/apple)
file(GLOB SIMULATOR_SOURCES CONFIGURE_DEPENDS ${SIMULATOR}/*.cpp)
add_library(veem_simulator OBJECT ${SIMULATOR_SOURCES})
target_include_directories(veem_simulator PRIVATE cpp)
foreach(TARGET veem_simulator veem_metal)
  target_include_directories(${TARGET} SYSTEM PRIVATE ${APPLE_STUBS} ${VEEM_METAL_CPP_DIR})
  target_compile_options(${TARGET} PRIVATE -fblocks "SHELL:-include simulator/objc.h")
  target_compile_definitions(${TARGET} PRIVATE VEEM_METAL=1 VEEM_SIMULATED=1)
endforeach()
target_compile_definitions(veem_core PUBLIC VEEM_SIMULATED=1)
# libstdc++'s own stable_sort uses what it deprecates.
target_compile_options(veem_core PRIVATE -Wno-deprecated-declarations)
target_sources(veem_core PRIVATE $<TARGET_OBJECTS:veem_simulator>)
target_link_libraries(veem_core PUBLIC ${CMAKE_DL_LIBS})

# veem/simulator beside the module: translate.py and its headers, for the kernels that a user
# writes, and our kernels, translated. Each is made anew only when its flat text changes.
set(OUT ${CMAKE_BINARY_DIR}/simulator)
file(GLOB TRANSLATOR CONFIGURE_DEPENDS ${SIMULATOR}/*.py)
file(GLOB_RECURSE MSL CONFIGURE_DEPENDS ${SIMULATOR}/msl/*)
add_custom_command(
  OUTPUT ${OUT}/translate.py
  COMMAND ${CMAKE_COMMAND} -E copy ${TRANSLATOR} ${OUT}
  COMMAND ${CMAKE_COMMAND} -E copy_directory ${SIMULATOR}/msl ${OUT}/msl
  DEPENDS ${TRANSLATOR} ${MSL} VERBATIM)
set(TRANSLATED ${OUT}/translate.py)
foreach(FAMILY ${FAMILIES})
  add_custom_command(
    OUTPUT ${FLAT}/${FAMILY}.translated
    COMMAND ${CMAKE_COMMAND} -E env VEEM_SIMULATOR_CXX=${CMAKE_CXX_COMPILER}
            ${Python_EXECUTABLE} ${SIMULATOR}/translate.py ${FLAT}/${FAMILY}.metal --folder ${OUT}
    COMMAND ${CMAKE_COMMAND} -E touch ${FLAT}/${FAMILY}.translated
    DEPENDS ${FLAT}/${FAMILY}.metal ${TRANSLATOR} ${MSL}
    COMMENT "Translating ${FAMILY}.metal for the simulator" VERBATIM)
  list(APPEND TRANSLATED ${FLAT}/${FAMILY}.translated)
endforeach()
add_custom_target(veem_translated ALL DEPENDS ${TRANSLATED})
if(SKBUILD)
  install(DIRECTORY ${OUT}/ DESTINATION veem/simulator PATTERN __pycache__ EXCLUDE)
endif()

if(VEEM_TESTS)
  file(GLOB TESTS CONFIGURE_DEPENDS tests/metal/*.cpp)
  add_executable(veem_metal_tests ${TESTS} tests/cpp/main.cpp)
  target_include_directories(veem_metal_tests SYSTEM PRIVATE ${APPLE_STUBS} ${VEEM_METAL_CPP_DIR})
  target_compile_options(veem_metal_tests PRIVATE -fblocks "SHELL:-include simulator/objc.h")
  target_link_libraries(veem_metal_tests PRIVATE veem_core)
endif()
