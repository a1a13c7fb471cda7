// Measuring two ways of doing one thing, fairly: they take turns in one run, so that whatever else
// the machine does meets both, and the sample is the mean of many calls. What is told is the median.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.Json;

namespace Mmf.Bench;

/// <summary>Does it that many times.</summary>
internal delegate void Way(int times);

internal sealed class Comparison
{
    private const int WarmUp = 10;
    private const int Turns = 101;
    private const double TurnMicroseconds = 1000;

    private readonly List<object> figures = [];

    /// <summary>Ours beside .NET's; a target is the ratio to stay below, 0 for none.</summary>
    internal void Of(string what, Way dotnets, Way ours, double target = 0, string baseline = ".NET") =>
        Of(what, baseline, times => Measure(dotnets, times), times => Measure(ours, times), target);

    /// <summary>The same, of two that measure themselves: nanoseconds a call.</summary>
    internal void Of(string what, string baseline, Func<int, double> theirs, Func<int, double> ours, double target)
    {
        int times = TimesOfATurn(theirs);
        TimesOfATurn(ours); // optimised, too
        var samples = new[] { new List<double>(), new List<double>() };

        for (int turn = -WarmUp; turn < Turns; turn++)
        {
            for (int i = 0; i < 2; i++)
            {
                // The first one changes, too.
                int which = (turn & 1) == 0 ? i : 1 - i;
                double sample = which == 0 ? theirs(times) : ours(times);
                if (turn >= 0)
                    samples[which].Add(sample);
            }
        }
        Tell(what, baseline, Median(samples[0]), Median(samples[1]), target);
    }

    private static int TimesOfATurn(Func<int, double> way)
    {
        // The compiler optimises what was called often, some time later.
        for (int i = 0; i < 60; i++)
        {
            way(1000);
            if (i % 20 == 19)
                System.Threading.Thread.Sleep(120);
        }
        double one = way(1000);
        return (int)Math.Max(10, TurnMicroseconds * 1000 / one);
    }

    // Nanoseconds a call.
    private static double Measure(Way way, int times)
    {
        long start = Stopwatch.GetTimestamp();
        way(times);
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / times;
    }

    private static double Median(List<double> samples)
    {
        samples.Sort();
        return samples[samples.Count / 2];
    }

    private void Tell(string what, string baseline, double theirs, double ours, double target)
    {
        double ratio = ours / theirs;
        string verdict = target == 0 ? "" : ratio <= target ? $"  (at most {target})" : $"  MORE THAN {target}";

        Console.WriteLine($"{what,-44}{theirs,12:N1}{ours,12:N1}{ratio,8:N2}{verdict}");
        figures.Add(new Dictionary<string, object>
        {
            ["name"] = $"{what}: mmf", ["unit"] = "ns", ["value"] = ours,
            ["baseline"] = $"{what}: {baseline}", ["baseline_value"] = theirs, ["ratio"] = ratio,
        });
    }

    internal static void Head(string title, string baseline = ".NET") =>
        Console.WriteLine($"\n{title,-44}{baseline + " ns",12}{"mmf ns",12}{"ratio",8}");

    internal void Write(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, JsonSerializer.Serialize(figures, new JsonSerializerOptions { WriteIndented = true }));
        Console.WriteLine($"\n{figures.Count} figures in {path}");
    }
}
