// mmf-dotnet - named maps for finished applications.
using System;
using System.IO;
using System.Linq;
using System.Text.Json;

namespace Mmf.Dotnet;

internal static class Program
{
    private const string Usage = """
        usage: mmf-dotnet enable DIR [--rid RID]   let the .NET applications in DIR use mmf's maps
               mmf-dotnet disable DIR              as they were before
               mmf-dotnet status DIR               0: enabled, 1: not enabled, 2: neither
        """;

    private static int Main(string[] arguments)
    {
        try
        {
            return arguments switch
            {
                ["enable", var directory] => Enable(directory, null),
                ["enable", var directory, "--rid", var rid] => Enable(directory, rid),
                ["disable", var directory] => Disable(directory),
                ["status", var directory] => Status(directory),
                ["--help" or "-h"] => Say(Usage),
                _ => Fail(Usage),
            };
        }
        catch (Exception failure) when (failure is Refusal or IOException or UnauthorizedAccessException or
                                            JsonException or InvalidOperationException)
        {
            return Fail("mmf-dotnet: " + failure.Message);
        }
    }

    private static int Say(string text)
    {
        Console.WriteLine(text);
        return 0;
    }

    private static int Fail(string text)
    {
        Console.Error.WriteLine(text);
        return 2;
    }

    // All are checked before the first is changed.
    private static int Enable(string directory, string? rid)
    {
        Application[] applications = Application.FindAll(directory);
        string[] rids = [.. applications.Select(one => one.Check(rid)).Distinct()];

        if (rids.Length > 1)
            throw new Refusal($"{directory} has applications for {string.Join(" and ", rids)}: choose one with --rid");
        Application.Enable(applications, rids[0]);
        foreach (Application application in applications)
            Console.WriteLine($"{application.Name}: enabled ({rids[0]})");
        return 0;
    }

    private static int Disable(string directory)
    {
        Application[] applications = Application.FindAll(directory);
        Application[] enabled = Application.Disable(applications);

        foreach (Application application in applications)
            Console.WriteLine($"{application.Name}: {(enabled.Contains(application) ? "disabled" : "was not enabled")}");
        return 0;
    }

    private static int Status(string directory)
    {
        int status = 0;

        foreach (Application application in Application.FindAll(directory))
        {
            string? missing = null;
            bool isEnabled = application.IsEnabled(ref missing);
            Console.WriteLine($"{application.Name}: " +
                              (missing != null ? $"broken, {missing} is missing; enable it again"
                               : isEnabled ? "enabled" : "not enabled"));
            status = Math.Max(status, missing != null ? 2 : isEnabled ? 0 : 1);
        }
        return status;
    }
}

/// <summary>Why an application cannot be changed.</summary>
internal sealed class Refusal(string message) : Exception(message);
