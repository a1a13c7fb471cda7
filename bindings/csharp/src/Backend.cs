using System;

namespace Mmf;

/// <summary>
/// Where objects come from. On Windows the kernel has all of them, and .NET's own types are
/// used inside ours; elsewhere it is libmmf.
/// </summary>
internal static class Backend
{
#if MMF_FACADE
    // We are in the place of .NET's own types.
    internal static bool IsSystem => false;
#else
    // Tests compare the two here on Linux, with what .NET has there: no names.
    [ThreadStatic]
    internal static bool PreferSystem;

    internal static bool IsSystem => OperatingSystem.IsWindows() || PreferSystem;
#endif
}
