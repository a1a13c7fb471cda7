# What `cmake --install` puts where: headers, both libraries, what pkg-config and
# find_package need, and the man pages. Everything finds the rest by its own place, so
# that an installed tree can be moved and `--prefix` can be chosen at installation.
include(CMakePackageConfigHelpers)

set(MMF_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/mmf)

install(DIRECTORY include/mmf TYPE INCLUDE FILES_MATCHING PATTERN "*.h")
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

# pkg-config: the prefix as seen from the file itself.
file(RELATIVE_PATH MMF_PC_TO_PREFIX
    ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" MMF_PC_TO_PREFIX "${MMF_PC_TO_PREFIX}")
foreach(dir INCLUDEDIR LIBDIR)
    set(MMF_PC_${dir} "\${prefix}")
    cmake_path(APPEND MMF_PC_${dir} ${CMAKE_INSTALL_${dir}}) # keeps an absolute one
endforeach()
# The loader does not look into other prefixes by itself, nor into /usr/local/lib before
# the next ldconfig.
set(MMF_PC_RPATH "")
if(NOT CMAKE_INSTALL_PREFIX MATCHES "^(/usr)?/?$")
    set(MMF_PC_RPATH "-Wl,-rpath,\${libdir} ")
endif()
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
