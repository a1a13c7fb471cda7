// There and back through two queues: from C# to a program in C, and from a program in C to another one.
using System;
using System.Diagnostics;
using Mmf.Channels;

namespace Mmf.Bench;

internal sealed class RoundTrip : IDisposable
{
    private const int Size = 64, Capacity = 8;

    private readonly string program;
    private readonly Process answerForC;
    private readonly Process answerForUs;
    private readonly Process ask;
    private readonly SharedQueue there;
    private readonly SharedQueue back;

    /// <summary>`program` is echo.c.</summary>
    internal RoundTrip(string program)
    {
        string name = $"bench {Environment.ProcessId}";

        this.program = program;
        answerForC = Begin("answer", name + " c");
        ask = Begin("ask", name + " c");
        answerForUs = Begin("answer", name);
        there = Open(name + "-there", ChannelRoles.Send);
        back = Open(name + "-back", ChannelRoles.Receive);
    }

    private Process Begin(string role, string name)
    {
        Process process = Process.Start(new ProcessStartInfo(program, [role, name])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        string? line = process.StandardOutput.ReadLine();

        return line == "ready" ? process : throw new InvalidOperationException($"{program} {role}: {line}");
    }

    private static SharedQueue Open(string name, ChannelRoles roles) => SharedQueue.OpenExisting(
        name, new ChannelOptions { Roles = roles, SingleProducerSingleConsumer = true, EndWithLastPeer = true });

    /// <summary>Nanoseconds of one, from C to C.</summary>
    internal double OfC(int times)
    {
        ask.StandardInput.WriteLine(times);
        ask.StandardInput.Flush();
        return double.Parse(ask.StandardOutput.ReadLine()!);
    }

    /// <summary>Nanoseconds of one, from here to C.</summary>
    internal double OfOurs(int times)
    {
        Span<byte> buffer = stackalloc byte[Size];
        long start = Stopwatch.GetTimestamp();

        for (int i = 0; i < times; i++)
        {
            there.Send(buffer);
            back.Receive(buffer);
        }
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / times;
    }

    public void Dispose()
    {
        there.Dispose();
        back.Dispose();
        ask.StandardInput.Close();
        foreach (Process process in new[] { ask, answerForC, answerForUs })
        {
            if (!process.WaitForExit(60_000))
                process.Kill();
            process.Dispose();
        }
    }
}
