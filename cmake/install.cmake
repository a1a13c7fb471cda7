# What `cmake --install` puts where: headers, both libraries, what pkg-config and
# find_package need, the man pages, the documents and the examples' sources. Everything
# finds the rest by its own place, so that an installed tree can be moved and `--prefix`
# can be chosen at installation. No file names a run path: where the loader looks is for
# ldconfig, and for the program's own build.
include(CMakePackageConfigHelpers)

set(MMF_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/mmf)

install(DIRECTORY include/mmf TYPE INCLUDE
    FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(TARGETS mmf_shared mmf_static EXPORT mmf-targets)

# find_package(mmf): the targets mmf::mmf and mmf::mmf-static.
install(EXPORT mmf-targets NAMESPACE mmf:: DESTINATION ${MMF_CMAKE_DIR})
configure_package_config_file(cmake/mmf-config.cmake.in mmf-config.cmake
    INSTALL_DESTINATION ${MMF_CMAKE_DIR})
# Before 1.0 a new minor version may change the API.
write_basic_package_version_file(mmf-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES
    ${CMAKE_CURRENT_BINARY_DIR}/mmf-config.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/mmf-config-version.cmake
    DESTINATION ${MMF_CMAKE_DIR})

# pkg-config: the prefix as seen from the file itself, so that the tree can be moved. In
# /usr it is spelled out: pkg-config omits what the compiler looks into anyway.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    set(MMF_PC_PREFIX /usr)
else()
    file(RELATIVE_PATH to_prefix
        ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
    string(REGEX REPLACE "/$" "" to_prefix "${to_prefix}")
    set(MMF_PC_PREFIX "\${pcfiledir}/${to_prefix}")
endif()
foreach(dir INCLUDEDIR LIBDIR)
    set(MMF_PC_${dir} "\${prefix}")
    cmake_path(APPEND MMF_PC_${dir} ${CMAKE_INSTALL_${dir}}) # keeps an absolute one
endforeach()
configure_file(cmake/mmf.pc.in mmf.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mmf.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# The pages of section 1 go with the tool. A page describes several functions; for each
# of the others in its NAME section man needs a page that says where to look.
foreach(section 3 5 7)
    file(GLOB pages CONFIGURE_DEPENDS docs/man/*.${section})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${pages})
    set(links)
    foreach(page IN LISTS pages)
        cmake_path(GET page STEM described)
        file(READ ${page} text)
        string(REGEX MATCH "\n\\.SH NAME\n[^\\]*" names "${text}") # up to its dash
        string(REGEX MATCHALL "mmf_[a-z0-9_]+" names "${names}")
        list(REMOVE_ITEM names ${described})
        foreach(name IN LISTS names)
            set(link ${CMAKE_CURRENT_BINARY_DIR}/man/${name}.${section})
            file(CONFIGURE OUTPUT ${link}
                CONTENT ".so man${section}/${described}.${section}\n")
            list(APPEND links ${link})
        endforeach()
    endforeach()
    install(FILES ${pages} ${links} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

# The documents as they stand to each other in the tree, so that their links hold.
install(FILES README.md CHANGELOG.md SECURITY.md LICENSE TYPE DOC)
install(DIRECTORY docs TYPE DOC
    FILES_MATCHING PATTERN "*.md" PATTERN "*.svg"
    PATTERN man EXCLUDE PATTERN site EXCLUDE)
install(DIRECTORY examples TYPE DOC
    FILES_MATCHING PATTERN "*.c" PATTERN "*.h" PATTERN "*.cpp"
    PATTERN csharp EXCLUDE)
