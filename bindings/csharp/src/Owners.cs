using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;

namespace Mmf;

/// <summary>
/// The threads that may own mutexes. What a thread owns is abandoned when it has ended in the kernel, and
/// Thread.Join returns a moment before that: so who finds a mutex owned by others awaits the ends of all that
/// .NET says have ended.
/// </summary>
internal static class Owners
{
    private const int Longest = 1000; // milliseconds; then its number is likely a new thread's

    private readonly record struct Owner(Thread Thread, string Task)
    {
        internal bool IsEnding => !Thread.IsAlive;
        internal bool HasEnded => IsEnding && !Directory.Exists(Task);
    }

    private static readonly List<Owner> owners = new();

    [ThreadStatic]
    private static bool isNoted;

    /// <summary>Before this thread can own a mutex.</summary>
    internal static void Note()
    {
        if (!isNoted)
            Add();
    }

    private static void Add()
    {
        // "PROCESS/task/THREAD"; without /proc there is nothing to await.
        string? link = new FileInfo("/proc/thread-self").LinkTarget;
        string task = link != null ? "/proc/" + link : "";

        lock (owners)
        {
            owners.RemoveAll(owner => owner.HasEnded);
            owners.Add(new Owner(Thread.CurrentThread, task));
        }
        isNoted = true;
    }

    /// <summary>Whether threads have ended, as all that a Join may have seen have done when this returns.</summary>
    internal static bool AwaitEnds()
    {
        List<Owner> ending;

        lock (owners)
            ending = owners.FindAll(owner => owner.IsEnding);
        foreach (Owner owner in ending)
            Await(owner);
        if (ending.Count != 0)
        {
            lock (owners)
                owners.RemoveAll(ending.Contains);
        }
        return ending.Count != 0;
    }

    private static void Await(Owner owner)
    {
        long end = Environment.TickCount64 + Longest;

        while (!owner.HasEnded && Environment.TickCount64 < end)
            Thread.Sleep(1);
    }
}
