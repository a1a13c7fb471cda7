// Peer - a process that does what it is told, a command a line, and answers each with a line.
// bindings/interop/peer.c is the same program in C; what the commands are stands there.
using System;
using System.Collections.Generic;
using System.IO;
using System.IO.MemoryMappedFiles;
using System.Threading;

internal static partial class Peer
{
    private static MemoryMappedFile? map;
    private static MemoryMappedViewAccessor? view;
    private static Mutex? mutex;
    private static EventWaitHandle? signal;
    private static Semaphore? semaphore;

    private static WaitHandle? Named(string kind) => kind switch
    {
        "mutex" => mutex,
        "event" => signal,
        _ => semaphore,
    };

    private static void Take(MemoryMappedFile made)
    {
        map = made;
        view = map.CreateViewAccessor();
    }

    private static string Created(bool createdNew) => createdNew ? "created" : "opened";

    private static string Release(string kind)
    {
        switch (kind)
        {
            case "mutex":
                mutex!.ReleaseMutex();
                return "ok";
            case "event":
                signal!.Set();
                return "ok";
            default:
                return $"ok {semaphore!.Release()}";
        }
    }

    // In Channels.cs, for those that have mmf's channels.
    static partial void DoChannel(string[] words, ref string? answer);

    private static string Do(string[] words)
    {
        bool createdNew;

        switch (words[0])
        {
            case "map-new":
                Take(MemoryMappedFile.CreateNew(words[1], long.Parse(words[2])));
                return "ok";
            case "map-open":
                Take(MemoryMappedFile.OpenExisting(words[1]));
                return "ok";
            case "map-close":
                view!.Dispose();
                map!.Dispose();
                return "ok";
            case "write":
                view!.Write(long.Parse(words[1]), int.Parse(words[2]));
                return "ok";
            case "read":
                return $"ok {view!.ReadInt32(long.Parse(words[1]))}";
            case "mutex":
                mutex = new Mutex(words[2] == "owned", words[1], out createdNew);
                return Created(createdNew);
            case "event":
                signal = new EventWaitHandle(
                    false, words[2] == "auto" ? EventResetMode.AutoReset : EventResetMode.ManualReset, words[1],
                    out createdNew);
                return Created(createdNew);
            case "semaphore":
                semaphore = new Semaphore(int.Parse(words[2]), int.Parse(words[3]), words[1], out createdNew);
                return Created(createdNew);
            case "wait":
                return Named(words[1])!.WaitOne(int.Parse(words[2])) ? "ok" : "timed-out";
            case "wait-all":
                return WaitHandle.WaitAll(new WaitHandle[] { mutex!, signal!, semaphore! }, int.Parse(words[1]))
                    ? "ok"
                    : "timed-out";
            case "wait-any":
                int index = WaitHandle.WaitAny(new WaitHandle[] { mutex!, signal!, semaphore! },
                                               int.Parse(words[1]));
                return index == WaitHandle.WaitTimeout ? "timed-out" : $"ok {index}";
            case "release":
                return Release(words[1]);
            case "close" when words[1] is "mutex" or "event" or "semaphore":
                Named(words[1])!.Dispose();
                return "ok";
            default:
                string? answer = null;
                DoChannel(words, ref answer);
                return answer ?? "what?";
        }
    }

    private static int Main()
    {
        Console.WriteLine("ready");
        for (string? line; (line = Console.ReadLine()) != null;)
        {
            string answer;
            try
            {
                answer = Do(line.Split(' '));
            }
            catch (AbandonedMutexException)
            {
                answer = "abandoned";
            }
            catch (Exception exception)
            {
                answer = $"failed {exception.Data["mmf.status"]}";
            }
            Console.WriteLine(answer);
        }
        return 0;
    }
}
