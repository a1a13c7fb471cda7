// The tests' own namespace: a directory below /dev/shm that goes with the process.
using System;
using System.IO;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Mmf.Tests;

internal static partial class Namespace
{
    internal static string Directory { get; private set; } = "";

    // libmmf reads the process's own environment, of which .NET has a copy.
    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);

    [ModuleInitializer]
    internal static void Make()
    {
        Directory = System.IO.Directory.CreateDirectory(
            $"/dev/shm/mmf-test-{Environment.ProcessId}-{Guid.NewGuid():N}",
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
        setenv("MMF_DIR", Directory, 1);
        Environment.SetEnvironmentVariable("MMF_DIR", Directory); // for children
        AppDomain.CurrentDomain.ProcessExit += (_, _) => System.IO.Directory.Delete(Directory, true);
    }

    /// <summary>A name of this test alone.</summary>
    internal static string NewName([CallerMemberName] string test = "") => $"{test} {Guid.NewGuid():N}";

    /// <summary>A path of a file that is not there.</summary>
    internal static string NewPath() => Path.Combine(Directory, "file-" + Guid.NewGuid().ToString("N"));

    /// <summary>Objects of names are files here.</summary>
    internal static int FilesNamed(string part)
    {
        int count = 0;

        foreach (string file in System.IO.Directory.EnumerateFiles(Directory, "*", SearchOption.AllDirectories))
        {
            if (Path.GetFileName(file).Contains(part, StringComparison.Ordinal))
                count++;
        }
        return count;
    }
}
