# Warnings, sanitizers and the patched lld, for every target of ours.

function(spacer_target target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Werror -Wno-unused-parameter)
  if(SPACER_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${SPACER_SANITIZE} -fno-omit-frame-pointer -g)
    target_link_options(${target} PRIVATE -fsanitize=${SPACER_SANITIZE})
  endif()
endfunction()

# Targets that see LLVM: headers as system headers, no RTTI or exceptions (as LLVM itself).
function(spacer_llvm_target target)
  spacer_target(${target})
  target_include_directories(${target} SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS})
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE __STDC_CONSTANT_MACROS
    __STDC_FORMAT_MACROS __STDC_LIMIT_MACROS)
  target_compile_options(${target} PRIVATE -fno-rtti)
endfunction()

# Builds lld on first use (see build-lld.sh); SPACER_LLD_DIR is its folder.
function(spacer_find_lld)
  message(STATUS "lld: looking for the patched build")
  execute_process(COMMAND ${CMAKE_SOURCE_DIR}/cmake/build-lld.sh
    OUTPUT_VARIABLE dir OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  message(STATUS "lld: ${dir}")
  set(SPACER_LLD_DIR ${dir} CACHE PATH "folder of the patched lld" FORCE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    ${CMAKE_SOURCE_DIR}/lld-patches/series)
endfunction()
