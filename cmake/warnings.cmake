# The warnings that every target of ours is built with. They are errors in the presets:
# a compiler that is newer than ours and warns more must not stop a user's build.
add_library(mmf_warnings INTERFACE)
target_compile_options(mmf_warnings INTERFACE
    -Wall -Wextra -Wconversion -Wshadow -Wvla -Wundef
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
    $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>)
if(MMF_WERROR)
    target_compile_options(mmf_warnings INTERFACE -Werror)
endif()
