# libspacer.so.0 and what a program needs to be built with it: header, pkg-config and CMake package
# files, man pages.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

file(GLOB interface CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/lib/CApi*.cpp)
add_library(spacerShared SHARED ${interface})
spacer_runtime_target(spacerShared)
set(map ${CMAKE_CURRENT_SOURCE_DIR}/libspacer.map)
set_target_properties(spacerShared PROPERTIES OUTPUT_NAME spacer EXPORT_NAME spacer
  VERSION ${PROJECT_VERSION} SOVERSION 0 LINK_DEPENDS ${map}
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
target_include_directories(spacerShared INTERFACE
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(spacerShared PRIVATE spacerRuntime)
target_link_options(spacerShared PRIVATE -Wl,--version-script=${map} -Wl,--as-needed)
if(NOT SPACER_SANITIZE) # the sanitizers' symbols come from the program
  target_link_options(spacerShared PRIVATE -Wl,--no-undefined)
endif()

install(TARGETS spacerShared EXPORT SpacerTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS spacerRuntime ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES include/spacer/spacer.h include/spacer/Format.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/spacer)

set(packageDir ${CMAKE_INSTALL_LIBDIR}/cmake/Spacer)
install(EXPORT SpacerTargets NAMESPACE Spacer:: DESTINATION ${packageDir})
# The static library is C++: whoever links it needs what it is made of.
set(staticLibraries sqlite3 xxhash zstd curl spdlog fmt stdc++ pthread)
list(TRANSFORM staticLibraries PREPEND -l OUTPUT_VARIABLE staticFlags)
list(JOIN staticFlags " " staticFlags)
configure_package_config_file(SpacerConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/SpacerConfig.cmake
  INSTALL_DESTINATION ${packageDir} PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/SpacerConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/SpacerConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/SpacerConfigVersion.cmake DESTINATION ${packageDir})

file(RELATIVE_PATH pcToPrefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(spacer.pc.in spacer.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/spacer.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

file(GLOB manPages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/*.3)
install(FILES ${manPages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man3)
