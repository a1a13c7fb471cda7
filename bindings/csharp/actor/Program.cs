// An actor for the files of tests/scenarios; docs/internals/conformance.md describes the lines that it hears
// and says. This file has threads, lines and answers; Calls.cs and Channels.cs have the calls.
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;

namespace Mmf.Actor;

internal static class Program
{
    private static readonly Stream output = Console.OpenStandardOutput();
    private static readonly Dictionary<string, Actor> actors = new();

    private sealed record Actor(Thread Thread, BlockingCollection<string[]> Lines);

    private static int Main()
    {
        Say("ready files");
        using var input = new StreamReader(Console.OpenStandardInput(), Encoding.ASCII);
        while (input.ReadLine() is { } line)
        {
            string[] words = line.Split(' ');
            if (!actors.TryGetValue(words[0], out Actor? actor))
                actors[words[0]] = actor = Start(words[0]);
            actor.Lines.Add(words[1..]);
            if (words[1] == "end")
                actors.Remove(words[0]);
        }
        Environment.Exit(0); // threads may wait
        return 0;
    }

    // One write, which is not mixed with another thread's.
    private static void Say(string line)
    {
        lock (output)
        {
            output.Write(Encoding.ASCII.GetBytes(line + "\n"));
            output.Flush();
        }
    }

    private static Actor Start(string name)
    {
        var lines = new BlockingCollection<string[]>();
        var thread = new Thread(() => Work(name, lines)) { IsBackground = true };

        thread.Start();
        return new Actor(thread, lines);
    }

    private static void Work(string name, BlockingCollection<string[]> lines)
    {
        string task = "/proc/" + new FileInfo("/proc/thread-self").LinkTarget;

        for (string[] words; (words = lines.Take())[0] != "end";)
        {
            bool begins = words[0] == "begin";
            if (begins)
                Say($"{name} begun tid={Path.GetFileName(task)}");
            Say($"{name} {Answer(begins ? words[1..] : words)}");
        }
        // This thread's end is what is asked for, so another one sees it.
        new Thread(() =>
        {
            while (Directory.Exists(task))
                Thread.Sleep(1);
            Say($"{name} MMF_OK");
        }).Start();
    }

    private static string Answer(string[] words)
    {
        string? handle = words.Length > 2 && words[1] == "=" ? words[0] : null;
        var outputs = new Dictionary<string, string>();
        string status;

        try
        {
            status = new Calls(handle, handle != null ? words[2..] : words, outputs).Make();
        }
        catch (System.Threading.AbandonedMutexException abandoned)
        {
            status = "MMF_ABANDONED";
            if (abandoned.MutexIndex >= 0)
                outputs["index"] = $"{abandoned.MutexIndex}";
        }
        catch (Exception exception) when (exception is NotImplementedException or KeyNotFoundException
                                              or FormatException or OverflowException)
        {
            return "cannot"; // no such call, or a number that its type does not have
        }
        catch (Exception exception)
        {
            status = Status(exception);
            outputs.Clear();
            // Only these have a parameter, and .NET's own add a line with the value.
            outputs["param"] = exception is ArgumentException argument
                ? Encode((string?)argument.Data["mmf.parameter"] ?? argument.ParamName ?? "") : "?";
            outputs["says"] = Encode(exception.Message.Split('\n')[0]);
        }
        return string.Join(' ', outputs.Select(pair => $"{pair.Key}={pair.Value}").Prepend(status));
    }

    // The library's, or that of .NET's own check.
    private static string Status(Exception exception) => (string?)exception.Data["mmf.status"] ?? exception switch
    {
        ArgumentNullException or NullReferenceException => "MMF_E_NULL",
        ArgumentOutOfRangeException => "MMF_E_RANGE",
        ArgumentException => "MMF_E_INVALID",
        ObjectDisposedException => "MMF_E_DISPOSED",
        NotSupportedException => "MMF_E_NOT_SUPPORTED",
        UnauthorizedAccessException => "MMF_E_ACCESS",
        InvalidOperationException => "MMF_E_MAXIMUM", // of SignalAndWait
        IOException => "MMF_E_IO",
        _ => exception.GetType().Name,
    };

    internal static string? Decode(string word)
    {
        if (word == "NULL")
            return null;
        if (word == "''")
            return "";
        var bytes = new List<byte>();
        for (int i = 0; i < word.Length; i++)
        {
            bool isEncoded = word[i] == '%';
            bytes.Add(isEncoded ? Convert.ToByte(word.Substring(i + 1, 2), 16) : (byte)word[i]);
            i += isEncoded ? 2 : 0;
        }
        string text = Encoding.UTF8.GetString(bytes.ToArray());
        // Other bytes are no text of .NET's.
        return Encoding.UTF8.GetBytes(text).SequenceEqual(bytes) ? text : throw new NotImplementedException(word);
    }

    internal static string Encode(string text)
    {
        var word = new StringBuilder();

        foreach (byte b in Encoding.UTF8.GetBytes(text))
            word.Append(b is > (byte)' ' and < 0x7f and not (byte)'%' and not (byte)'\'' ? $"{(char)b}" : $"%{b:X2}");
        return word.Length != 0 ? word.ToString() : "''";
    }
}
