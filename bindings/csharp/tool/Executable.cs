using System;
using System.IO;
using System.Linq;

namespace Mmf.Dotnet;

/// <summary>What a folder without a deps.json is.</summary>
internal static class Executable
{
    // Every apphost has this; the 8 bytes before it are the offset of what was bundled, or 0.
    private static readonly byte[] BundleMark =
        Convert.FromHexString("8B1202B96A612038727B930214D7A03213F5B9E6EFAE3318EE3B2DCE24B36AAE");

    internal static string WhyNot(string directory)
    {
        foreach (string path in Directory.GetFiles(directory).Where(IsElf).Order(StringComparer.Ordinal))
        {
            byte[] bytes = File.ReadAllBytes(path);
            int mark = bytes.AsSpan().IndexOf(BundleMark);
            string name = Path.GetFileName(path);
            if (mark >= 8 && BitConverter.ToInt64(bytes, mark - 8) != 0)
                return $"{name} is a single-file application: its framework is inside; rebuild it with the package Mmf, " +
                       "or publish it without PublishSingleFile";
            if (bytes.AsSpan().IndexOf("__managedcode"u8) >= 0)
                return $"{name} is compiled by native AOT, .NET's own maps into it; rebuild it with the package Mmf";
        }
        return "no .NET application (NAME.deps.json and NAME.runtimeconfig.json) is here";
    }

    private static bool IsElf(string path)
    {
        Span<byte> magic = stackalloc byte[4];
        using FileStream file = File.OpenRead(path);

        return file.ReadAtLeast(magic, 4, false) == 4 && magic.SequenceEqual("\u007fELF"u8);
    }
}
