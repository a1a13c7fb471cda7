// The same random sequences of operations on .NET's unnamed and file-backed maps and on ours: same
// values, same exceptions, same parameters, same files. A sequence that differs is shortened before
// it is shown. 50,000 sequences, or, without MMF_TEST_LONG=1, as many as a minute has; how many
// is written into the file MMF_FIGURES.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using Xunit;
using Xunit.Abstractions;

namespace Mmf.Tests.Differential;

public class DifferentialTests(ITestOutputHelper output)
{
    private const int Length = 60, Whole = 50_000, Fewest = 500;
    private static readonly TimeSpan box =
        Environment.GetEnvironmentVariable("MMF_TEST_LONG") == "1" ? TimeSpan.MaxValue : TimeSpan.FromMinutes(1);

    /// <summary>Where ours does as Windows does, and .NET on Unix does not (docs/internals/contract.md, 3.9).</summary>
    private sealed record Reason(string Rule, bool FilesDiffer = false);

    private static Reason? Explain(Step step, string theirs, string ours)
    {
        bool isFile = step.Verb is Verb.FromPath or Verb.FromStream or Verb.FromHandle;
        bool isView = step.Verb is Verb.Accessor or Verb.Stream;

        return (theirs, ours) switch
        {
            ("ok" or "IOException", "UnauthorizedAccessException") when isFile =>
                new("3.9b: access beyond the file's shows at once", true),
            ("ok", "IOException") when isFile && step.Access is 3 or 4 =>
                new("2.2.15c: only a writer's map grows its file", true),
            (_, "IOException") when step.Verb == Verb.FromPath && step.D % 20 == 5 =>
                new("3.9i: a file has one writer", true),
            ("ok", "IOException") when step.Verb is Verb.CreateNew or Verb.CreateNewShort =>
                new("3.9c: what is too large shows at once"),
            ("ok", "IOException") when isFile && step.A >= 1L << 40 =>
                new("2.2.15a: what a file grows by is reserved", true),
            ("ArgumentOutOfRangeException(offset)", "UnauthorizedAccessException") when isView && step.A > 0 =>
                new("3.9g: offset beyond the map"),
            ("ArgumentOutOfRangeException(offset)", "IOException") when isView && step.B >= 1L << 40 =>
                new("3.9g: offset beyond the map"),
            ("UnauthorizedAccessException" or "ArgumentOutOfRangeException(offset)" or "IOException",
             "ObjectDisposedException") when isView => new("3.9h: a closed map comes before what lies in it"),
            _ => null,
        };
    }

    private sealed record Outcome(int Steps, string? Difference, List<string> Explained);

    private static Outcome Run(IReadOnlyList<Step> steps, Side mine)
    {
        var explained = new List<string>();
        using var theirs = new World(new Dotnets());
        using var ours = new World(mine);

        for (int i = 0; i < steps.Count; i++)
        {
            Step step = steps[i];
            string wanted = theirs.Do(step);
            string got = ours.Do(step);

            if (wanted == got)
                continue;
            Reason? reason = Explain(step, wanted, got);
            if (reason == null)
                return new Outcome(i + 1, $"{step}\n  .NET: {wanted}\n  ours: {got}", explained);
            explained.Add(reason.Rule);
            if (reason.FilesDiffer)
                return new Outcome(i + 1, null, explained); // nothing to compare from here on
            if (wanted == "ok")
            {
                theirs.DropMap(step.Slot);
                ours.DropMap(step.Slot);
            }
        }
        return new Outcome(steps.Count, null, explained);
    }

    // Omits what the difference does not need.
    private static List<Step> Shorten(List<Step> steps, Func<Side> side)
    {
        for (int chunk = Math.Max(1, steps.Count / 2); ; chunk = Math.Max(1, chunk / 2))
        {
            bool shorter = false;
            for (int start = 0; start + chunk <= steps.Count;)
            {
                List<Step> fewer = steps.Take(start).Concat(steps.Skip(start + chunk)).ToList();
                if (Run(fewer, side()).Difference != null)
                {
                    steps = fewer;
                    shorter = true;
                }
                else
                {
                    start += chunk;
                }
            }
            if (chunk == 1 && !shorter)
                return steps;
        }
    }

    private void Compare(string what, int firstSeed, int most, Func<Side> side)
    {
        var explained = new SortedDictionary<string, int>();
        var clock = Stopwatch.StartNew();
        long steps = 0;
        int differences = 0, count = 0;

        for (; count < most && differences < 5 && (count < Fewest || clock.Elapsed < box); count++)
        {
            int seed = firstSeed + count;
            List<Step> sequence = Step.Sequence(seed, Length);
            Outcome outcome = Run(sequence, side());
            steps += outcome.Steps;
            foreach (string reason in outcome.Explained)
                explained[reason] = explained.GetValueOrDefault(reason) + 1;
            if (outcome.Difference == null)
                continue;
            differences++;
            List<Step> shortest = Shorten(sequence.Take(outcome.Steps).ToList(), side);
            output.WriteLine($"seed {seed}, {shortest.Count} steps:");
            foreach (Step step in shortest)
                output.WriteLine($"  {step}");
            output.WriteLine(Run(shortest, side()).Difference!);
        }
        string figures = $"{what}: {count} of {most} sequences, {steps} steps, {differences} differences";
        output.WriteLine(figures + "; as on Windows:");
        if (Environment.GetEnvironmentVariable("MMF_FIGURES") is { } file)
            File.AppendAllText(file, figures + "\n");
        foreach (var (reason, times) in explained)
            output.WriteLine($"  {times,6} {reason}");
        Assert.Equal(0, differences);
        Assert.True(steps > count * 30L, "most sequences end too early to tell anything");
    }

    [Fact]
    public void Ours_does_as_dotnets() => Compare("differential, libmmf", 1, Whole, () => new Ours());

    [Fact]
    public void Ours_over_dotnets_does_as_dotnets() =>
        Compare("differential, .NET's own inside", 1_000_000, Fewest / 5, () => new Ours(true));

    // The comparison itself: it must find a side that does one thing differently, and tell it briefly.
    [Fact]
    public void A_difference_is_found_and_shortened()
    {
        for (int seed = 1;; seed++)
        {
            List<Step> sequence = Step.Sequence(seed, Length);
            if (Run(sequence, new Wrong()).Difference == null)
            {
                Assert.True(seed < 1000, "not found in a thousand sequences");
                continue;
            }
            List<Step> shortest = Shorten(sequence, () => new Wrong());
            Assert.InRange(shortest.Count, 1, 3);
            Assert.NotNull(Run(shortest, new Wrong()).Difference);
            return;
        }
    }

    private sealed class Wrong : Side
    {
        private readonly Dotnets right = new();

        internal override IDisposable CreateNew(string? name, long capacity, int access, int options,
                                                int inheritability) =>
            right.CreateNew(name, capacity, access, options, inheritability);

        internal override IDisposable CreateNew(long capacity) => right.CreateNew(capacity);

        internal override IDisposable FromPath(string path, System.IO.FileMode mode, string? name, long capacity,
                                               int access) =>
            right.FromPath(path, mode, name, capacity, access);

        internal override IDisposable FromStream(System.IO.FileStream file, string? name, long capacity, int access,
                                                 int inheritability, bool leaveOpen) =>
            right.FromStream(file, name, capacity, access, inheritability, leaveOpen);

        internal override IDisposable FromHandle(Microsoft.Win32.SafeHandles.SafeFileHandle file, string? name,
                                                 long capacity, int access, int inheritability, bool leaveOpen) =>
            right.FromHandle(file, name, capacity, access, inheritability, leaveOpen);

        internal override System.IO.UnmanagedMemoryAccessor Accessor(IDisposable map, long offset, long size,
                                                                     int access) =>
            right.Accessor(map, offset, size == 8192 ? 8191 : size, access);

        internal override System.IO.UnmanagedMemoryStream Stream(IDisposable map, long offset, long size,
                                                                 int access) =>
            right.Stream(map, offset, size, access);

        internal override bool IsClosed(IDisposable map) => right.IsClosed(map);

        internal override void Flush(System.IO.UnmanagedMemoryAccessor view) => right.Flush(view);

        internal override (long, System.Runtime.InteropServices.SafeBuffer) About(IDisposable view) =>
            right.About(view);
    }
}
