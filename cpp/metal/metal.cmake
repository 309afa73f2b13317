# The Metal backend. VEEM_METAL is AUTO (on where there is an Apple GPU), ON, OFF, or SIMULATED,
# where software runs the kernels on this computer's processor and checks them (cpp/simulator).
# compiler.cmake, included before project(), has chosen VEEM_METAL's value and the compiler.
if(VEEM_METAL STREQUAL AUTO AND NOT APPLE)
  set(VEEM_METAL OFF)
endif()
if(VEEM_METAL STREQUAL OFF)
  return()
endif()

find_package(Python COMPONENTS Interpreter REQUIRED)
set(METAL ${CMAKE_CURRENT_LIST_DIR})
include(${METAL}/headers.cmake)  # VEEM_METAL_CPP_DIR
if(NOT VEEM_METAL_CPP_DIR)
  return()  # AUTO, and no headers to be had
endif()

file(GLOB METAL_SOURCES CONFIGURE_DEPENDS ${METAL}/*.cpp)
file(GLOB FAMILIES CONFIGURE_DEPENDS RELATIVE ${METAL}/kernels ${METAL}/kernels/*.metal)
list(TRANSFORM FAMILIES REPLACE "\\.metal$" "")
target_compile_definitions(veem_core PUBLIC VEEM_METAL=1)

# The kernels' text, includes inlined, as strings in sources.cpp: the GPU's driver compiles it on
# first use. embed.py leaves alone what has not changed.
file(GLOB METAL_HEADERS CONFIGURE_DEPENDS ${METAL}/*.h ${METAL}/kernels/*.h
     ${CMAKE_SOURCE_DIR}/cpp/kernels/*.h)
set(FLAT ${CMAKE_BINARY_DIR}/metal)
list(TRANSFORM FAMILIES PREPEND ${FLAT}/ OUTPUT_VARIABLE FLAT_FILES)
list(TRANSFORM FLAT_FILES APPEND .metal)
list(TRANSFORM FAMILIES PREPEND ${METAL}/kernels/ OUTPUT_VARIABLE KERNEL_FILES)
list(TRANSFORM KERNEL_FILES APPEND .metal)
add_custom_command(
  OUTPUT ${FLAT}/sources.cpp ${FLAT_FILES}
  COMMAND ${Python_EXECUTABLE} ${METAL}/embed.py --out ${FLAT} ${KERNEL_FILES}
  DEPENDS ${METAL}/embed.py ${KERNEL_FILES} ${METAL_HEADERS}
          ${CMAKE_SOURCE_DIR}/cpp/ops.def
  COMMENT "Embedding Metal kernels" VERBATIM)

add_library(veem_metal OBJECT ${METAL_SOURCES} ${FLAT}/sources.cpp)
target_include_directories(veem_metal PRIVATE cpp)
target_include_directories(veem_metal SYSTEM PRIVATE ${VEEM_METAL_CPP_DIR})
target_compile_options(veem_metal PRIVATE -fblocks)
target_compile_definitions(veem_metal PRIVATE VEEM_METAL=1)
target_sources(veem_core PRIVATE $<TARGET_OBJECTS:veem_metal>)

if(VEEM_METAL STREQUAL SIMULATED)
  include(cpp/simulator/simulator.cmake)
else()
  target_link_libraries(veem_core PUBLIC "-framework Metal" "-framework Foundation")
endif()
