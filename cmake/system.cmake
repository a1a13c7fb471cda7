# What sources must be told of the system they are compiled for.
if(WIN32)
    # Windows 8; printf as C99 has it, and the compiler's check of its formats with it.
    set(MMF_SYSTEM_DEFINITIONS _WIN32_WINNT=0x0602 UNICODE __USE_MINGW_ANSI_STDIO=1
        MMF_PRINTF=gnu_printf)
else()
    set(MMF_SYSTEM_DEFINITIONS _GNU_SOURCE _FILE_OFFSET_BITS=64)
endif()
