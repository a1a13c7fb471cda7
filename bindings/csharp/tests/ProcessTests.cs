// Two processes and one object: each of them C or C#. This process only says what they do.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Mmf.Tests;

internal sealed class Peer : IDisposable
{
    private readonly Process process;

    internal Peer(string language)
    {
        string program = language == "C"
            ? Environment.GetEnvironmentVariable("MMF_CSHARP_PEER") ??
              throw new InvalidOperationException("MMF_CSHARP_PEER is the C program; script/csharp test sets it")
            : Environment.ProcessPath!;
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (language != "C")
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Peer.dll"));
        process = Process.Start(start)!;
        Assert.Equal("ready", Answer());
    }

    internal void Say(string command)
    {
        process.StandardInput.WriteLine(command);
        process.StandardInput.Flush();
    }

    internal string Answer()
    {
        Task<string?> line = process.StandardOutput.ReadLineAsync();
        Assert.True(line.Wait(Check.Deadline), "the process did not answer");
        return line.Result ?? "(it ended)";
    }

    internal string Do(string command)
    {
        Say(command);
        return Answer();
    }

    // What it sleeps on is a word of an object's, and not of its runtime's: a futex's address.
    private bool IsOurs(string call)
    {
        ulong address = Convert.ToUInt64(call.Split(' ')[1], 16);

        foreach (string line in File.ReadLines($"/proc/{process.Id}/maps"))
        {
            string[] range = line[..line.IndexOf(' ', StringComparison.Ordinal)].Split('-');
            if (address >= Convert.ToUInt64(range[0], 16) && address < Convert.ToUInt64(range[1], 16))
                return line.Contains(Namespace.Directory, StringComparison.Ordinal);
        }
        return false;
    }

    /// <summary>Waits until it sleeps in a wait: the kernel says so three times, with the same arguments.</summary>
    internal void AwaitSleep()
    {
        string[] waits = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? ["202 ", "449 "] : ["98 ", "449 "];
        string before = "";
        long end = Environment.TickCount64 + Check.Deadline;

        for (int looks = 0; looks < 3;)
        {
            string call = File.ReadAllText($"/proc/{process.Id}/syscall");
            bool sleeps = call.StartsWith(waits[0], StringComparison.Ordinal)
                ? IsOurs(call)
                : call.StartsWith(waits[1], StringComparison.Ordinal);
            looks = sleeps && call == before ? looks + 1 : 0;
            before = call;
            Assert.True(Environment.TickCount64 < end, "the process does not sleep");
            Thread.Sleep(1);
        }
    }

    internal void Kill()
    {
        process.Kill();
        Assert.True(process.WaitForExit(Check.Deadline));
    }

    public void Dispose()
    {
        process.StandardInput.Close();
        if (!process.WaitForExit(Check.Deadline))
            process.Kill();
        process.Dispose();
    }
}

public class ProcessTests
{
    public static TheoryData<string, string> Pairs => new()
    {
        { "C", "C#" },
        { "C#", "C" },
        { "C#", "C#" },
    };

    private static string NewName() => Guid.NewGuid().ToString("N");

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Map(string first, string second)
    {
        string name = NewName();
        using var a = new Peer(first);
        using var b = new Peer(second);
        Assert.Equal("failed MMF_E_NOT_FOUND", b.Do($"map-open {name}"));
        Assert.Equal("ok", a.Do($"map-new {name} 10000"));
        Assert.Equal("failed MMF_E_EXISTS", b.Do($"map-new {name} 10000"));
        Assert.Equal("ok", b.Do($"map-open {name}"));
        Assert.Equal("ok", a.Do("write 9996 123456789"));
        Assert.Equal("ok 123456789", b.Do("read 9996"));
        Assert.Equal("ok", b.Do("write 1 -42"));
        Assert.Equal("ok -42", a.Do("read 1"));
        Assert.Equal("failed " + (first == "C" ? "MMF_E_INVALID" : ""), a.Do("write 9997 1"));
        // The name lives until its last holder goes, which need not be its maker.
        Assert.Equal("ok", a.Do("map-close"));
        Assert.Equal("ok", a.Do($"map-open {name}"));
        Assert.Equal("ok -42", a.Do("read 1"));
        Assert.Equal("ok", a.Do("map-close"));
        b.Kill();
        Assert.Equal("failed MMF_E_NOT_FOUND", a.Do($"map-open {name}"));
        Assert.Equal("ok", a.Do($"map-new {name} 8"));
        Assert.Equal("ok 0", a.Do("read 1"));
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Mutex(string first, string second)
    {
        string name = NewName();
        using var a = new Peer(first);
        using var b = new Peer(second);
        Assert.Equal("created", a.Do($"mutex {name} owned"));
        Assert.Equal("opened", b.Do($"mutex {name} owned"));
        Assert.Equal("timed-out", b.Do("wait mutex 0"));
        Assert.Equal("failed MMF_E_NOT_OWNER", b.Do("release mutex"));
        Assert.Equal("failed MMF_E_WRONG_KIND", b.Do($"event {name} auto"));
        b.Say("wait mutex 20000");
        Assert.Equal("ok", a.Do("release mutex"));
        Assert.Equal("ok", b.Answer());
        Assert.Equal("timed-out", a.Do("wait mutex 10"));
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Abandoned_mutex(string first, string second)
    {
        string name = NewName();
        using var a = new Peer(first);
        using var b = new Peer(second);
        Assert.Equal("created", a.Do($"mutex {name} owned"));
        Assert.Equal("opened", b.Do($"mutex {name} free"));
        b.Say("wait mutex 20000");
        a.Kill();
        Assert.Equal("abandoned", b.Answer());
        Assert.Equal("ok", b.Do("release mutex"));
        Assert.Equal("ok", b.Do("wait mutex 0"));
        Assert.Equal("ok", b.Do("close mutex"));
        Assert.Equal("created", b.Do($"mutex {name} free"));
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Event(string first, string second)
    {
        foreach (string mode in new[] { "auto", "manual" })
        {
            string name = NewName();
            using var a = new Peer(first);
            using var b = new Peer(second);
            Assert.Equal("created", a.Do($"event {name} {mode}"));
            Assert.Equal("opened", b.Do($"event {name} auto"));
            Assert.Equal("timed-out", b.Do("wait event 10"));
            b.Say("wait event 20000");
            Assert.Equal("ok", a.Do("release event"));
            Assert.Equal("ok", b.Answer());
            Assert.Equal(mode == "auto" ? "timed-out" : "ok", a.Do("wait event 0"));
            a.Kill();
            Assert.Equal(mode == "auto" ? "timed-out" : "ok", b.Do("wait event 0"));
        }
    }

    // A wait that comes later does not get it, and a reset does not take it back. A hundred runs.
    [Theory]
    [InlineData("manual", 1)]
    [InlineData("auto", 4)]
    public void A_signal_belongs_to_those_that_sleep(string mode, int count)
    {
        string name = NewName();
        Peer[] sleepers = Enumerable.Range(0, count).Select(i => new Peer(i % 2 == 0 ? "C#" : "C")).ToArray();
        using var signal = new EventWaitHandle(
            false, mode == "auto" ? EventResetMode.AutoReset : EventResetMode.ManualReset, name);

        foreach (Peer sleeper in sleepers)
            Assert.Equal("opened", sleeper.Do($"event {name} auto"));
        for (int run = 0; run < 100; run++)
        {
            int through = 0;
            for (int round = 0; round < 20; round++)
                through += Signal(signal, sleepers, mode == "auto");
            Assert.Equal(20 * count, through);
        }
        foreach (Peer sleeper in sleepers)
            sleeper.Dispose();
    }

    // How many of them the signals woke.
    private static int Signal(EventWaitHandle signal, Peer[] sleepers, bool isAuto)
    {
        foreach (Peer sleeper in sleepers)
            sleeper.Say("wait event 20000");
        foreach (Peer sleeper in sleepers)
            sleeper.AwaitSleep();
        foreach (Peer _ in sleepers)
            signal.Set();
        if (!isAuto)
            signal.Reset();
        Assert.False(signal.WaitOne(0));
        return sleepers.Count(sleeper => sleeper.Answer() == "ok");
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Semaphore(string first, string second)
    {
        string name = NewName();
        using var a = new Peer(first);
        using var b = new Peer(second);
        Assert.Equal("created", a.Do($"semaphore {name} 1 2"));
        Assert.Equal("opened", b.Do($"semaphore {name} 5 9"));
        Assert.Equal("ok", b.Do("wait semaphore 0"));
        b.Say("wait semaphore 20000");
        Assert.Equal("ok 0", a.Do("release semaphore"));
        Assert.Equal("ok", b.Answer());
        Assert.Equal("ok 0", b.Do("release semaphore"));
        Assert.Equal("ok 1", a.Do("release semaphore"));
        Assert.Equal("failed MMF_E_MAXIMUM", b.Do("release semaphore"));
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Any_and_all(string first, string second)
    {
        string name = NewName();
        using var a = new Peer(first);
        using var b = new Peer(second);
        foreach (Peer peer in new[] { a, b })
        {
            Assert.NotEqual("", peer.Do($"mutex {name}-m {(peer == a ? "owned" : "free")}"));
            Assert.NotEqual("", peer.Do($"event {name}-e auto"));
            Assert.NotEqual("", peer.Do($"semaphore {name}-s 0 1"));
        }
        Assert.Equal("timed-out", b.Do("wait-any 10"));
        b.Say("wait-any 20000");
        Assert.Equal("ok 0", a.Do("release semaphore"));
        Assert.Equal("ok 2", b.Answer());
        b.Say("wait-all 20000");
        Assert.Equal("ok", a.Do("release event"));
        Assert.Equal("ok 0", a.Do("release semaphore"));
        Assert.Equal("ok", a.Do("release mutex"));
        Assert.Equal("ok", b.Answer());
        Assert.Equal("timed-out", a.Do("wait-any 0"));
        b.Kill();
        Assert.Equal("abandoned", a.Do("wait-any 20000"));
    }
}
