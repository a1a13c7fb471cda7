# The warnings every target of ours is built with, as errors.
add_library(mmf_warnings INTERFACE)
target_compile_options(mmf_warnings INTERFACE
    -Wall -Wextra -Wconversion -Wshadow -Wvla -Wundef -Werror
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
    $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>)
