# orrery_room(NAME [LIBS ...] [PLAIN])
# One static library a room of src/: every .cpp below src/NAME, linked to the rooms and libraries it may use,
# so that a wrong include fails to link. PLAIN rooms use few or no libtorch headers and skip the precompiled header,
# whose loading would cost them more than it saves.
function(orrery_room name)
  cmake_parse_arguments(ARG "PLAIN" "" "LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  if(NOT sources)
    add_library(orrery_${name} INTERFACE)
    target_include_directories(orrery_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(orrery_${name} INTERFACE ${ARG_LIBS})
    return()
  endif()
  add_library(orrery_${name} STATIC ${sources})
  target_include_directories(orrery_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(orrery_${name} PUBLIC ${ARG_LIBS})
  if(NOT ARG_PLAIN)
    orrery_torch_target(orrery_${name})
  endif()
endfunction()

# Gives a target libtorch and the shared precompiled header.
function(orrery_torch_target target)
  target_link_libraries(${target} PUBLIC Libtorch::torch)
  if(ORRERY_NATIVE)
    target_compile_options(${target} PRIVATE -march=native)
  endif()
  target_precompile_headers(${target} REUSE_FROM orrery_pch)
endfunction()

# Gives a program that trains or plays jemalloc in place of the C library's allocator (not under sanitizers, which bring their own).
function(orrery_fast_malloc target)
  if(JEMALLOC AND NOT ORRERY_SANITIZE)
    target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/malloc_conf.cpp)
    target_link_libraries(${target} PRIVATE -Wl,--push-state,--no-as-needed ${JEMALLOC} -Wl,--pop-state)
  endif()
endfunction()
