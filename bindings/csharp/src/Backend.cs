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

    /// <summary>For what is libmmf's alone.</summary>
    internal static void NeedLibrary(string what)
    {
        if (IsSystem)
            throw new PlatformNotSupportedException($"On Windows, .NET's own objects cannot {what}.");
    }
#endif
}
