// The binding beside .NET's own types: what a program pays for the names. Accessors and streams are
// compared on an unnamed map of .NET's and a named one of ours.
using System;
using System.IO;
using System.Runtime.InteropServices;
using SystemMaps = System.IO.MemoryMappedFiles;
using SystemThreading = System.Threading;

namespace Mmf.Bench;

internal static unsafe partial class Program
{
    private const int Size = 65536;
    private const double Target = 1.05; // of what is .NET's own code
    private const double CreateTarget = 3, RoundTripTarget = 1.5;

    private record struct Twelve(int A, int B, int C);

    private static long sink;

    private static int Main(string[] arguments)
    {
        var comparison = new Comparison();
        using var theirs = SystemMaps.MemoryMappedFile.CreateNew(null, Size);
        using var ours = MemoryMappedFile.CreateNew($"bench {Environment.ProcessId}", Size);

        Console.WriteLine($".NET {Environment.Version}, {RuntimeInformation.OSDescription}, " +
                          $"{Environment.ProcessorCount} processors");
        if (arguments.Length > 1)
            Queues(comparison, arguments[1]);
        using (SystemMaps.MemoryMappedViewAccessor a = theirs.CreateViewAccessor())
        using (MemoryMappedViewAccessor b = ours.CreateViewAccessor())
            Accessors(comparison, a, b);
        using (SystemMaps.MemoryMappedViewStream a = theirs.CreateViewStream())
        using (MemoryMappedViewStream b = ours.CreateViewStream())
            Streams(comparison, a, b);
        Handles(comparison, theirs, ours);
        Synchronisation(comparison);
        if (arguments.Length > 0)
            comparison.Write(arguments[0]);
        return 0;
    }

    private static void Accessors(Comparison comparison, UnmanagedMemoryAccessor theirs, UnmanagedMemoryAccessor ours)
    {
        Comparison.Head("accessor");
        comparison.Of("ReadInt32", ReadInt32(theirs), ReadInt32(ours), Target);
        comparison.Of("Write(int)", WriteInt32(theirs), WriteInt32(ours), Target);
        comparison.Of("ReadInt64", ReadInt64(theirs), ReadInt64(ours), Target);
        comparison.Of("Write(double)", WriteDouble(theirs), WriteDouble(ours), Target);
        comparison.Of("Read<T>, 12 bytes", ReadStruct(theirs), ReadStruct(ours), Target);
        comparison.Of("Write<T>, 12 bytes", WriteStruct(theirs), WriteStruct(ours), Target);
        comparison.Of("ReadArray<byte>, 4096", ReadArray<byte>(theirs, 4096), ReadArray<byte>(ours, 4096), Target);
        comparison.Of("WriteArray<byte>, 4096", WriteArray<byte>(theirs, 4096), WriteArray<byte>(ours, 4096), Target);
        comparison.Of("ReadArray<int>, 1024", ReadArray<int>(theirs, 1024), ReadArray<int>(ours, 1024), Target);
        comparison.Of("WriteArray<int>, 1024", WriteArray<int>(theirs, 1024), WriteArray<int>(ours, 1024), Target);
        comparison.Of("ReadArray<T>, 256 of 12 bytes", ReadArray<Twelve>(theirs, 256), ReadArray<Twelve>(ours, 256),
                      Target);
        comparison.Of("WriteArray<T>, 256 of 12 bytes", WriteArray<Twelve>(theirs, 256),
                      WriteArray<Twelve>(ours, 256), Target);
    }

    private static Way ReadInt32(UnmanagedMemoryAccessor view) => times =>
    {
        long sum = 0;
        for (int i = 0; i < times; i++)
            sum += view.ReadInt32((i & 1023) * 4);
        sink += sum;
    };

    private static Way WriteInt32(UnmanagedMemoryAccessor view) => times =>
    {
        for (int i = 0; i < times; i++)
            view.Write((i & 1023) * 4, i);
    };

    private static Way ReadInt64(UnmanagedMemoryAccessor view) => times =>
    {
        long sum = 0;
        for (int i = 0; i < times; i++)
            sum += view.ReadInt64((i & 1023) * 8);
        sink += sum;
    };

    private static Way WriteDouble(UnmanagedMemoryAccessor view) => times =>
    {
        for (int i = 0; i < times; i++)
            view.Write((i & 1023) * 8, (double)i);
    };

    private static Way ReadStruct(UnmanagedMemoryAccessor view) => times =>
    {
        long sum = 0;
        for (int i = 0; i < times; i++)
        {
            view.Read((i & 1023) * 12, out Twelve value);
            sum += value.A;
        }
        sink += sum;
    };

    private static Way WriteStruct(UnmanagedMemoryAccessor view) => times =>
    {
        for (int i = 0; i < times; i++)
        {
            var value = new Twelve(i, i, i);
            view.Write((i & 1023) * 12, ref value);
        }
    };

    private static Way ReadArray<T>(UnmanagedMemoryAccessor view, int count) where T : struct
    {
        var array = new T[count];
        return times =>
        {
            for (int i = 0; i < times; i++)
                sink += view.ReadArray((i & 7) * 4096, array, 0, count);
        };
    }

    private static Way WriteArray<T>(UnmanagedMemoryAccessor view, int count) where T : struct
    {
        var array = new T[count];
        return times =>
        {
            for (int i = 0; i < times; i++)
                view.WriteArray((i & 7) * 4096, array, 0, count);
        };
    }

    private static void Streams(Comparison comparison, Stream theirs, Stream ours)
    {
        Comparison.Head("stream");
        comparison.Of("Read, 4096 bytes", ReadStream(theirs), ReadStream(ours), Target);
        comparison.Of("Write, 4096 bytes", WriteStream(theirs), WriteStream(ours), Target);
        comparison.Of("ReadByte", ReadByte(theirs), ReadByte(ours), Target);
    }

    private static Way ReadStream(Stream stream)
    {
        var buffer = new byte[4096];
        return times =>
        {
            for (int i = 0; i < times; i++)
            {
                stream.Position = (i & 7) * 4096;
                sink += stream.Read(buffer, 0, 4096);
            }
        };
    }

    private static Way WriteStream(Stream stream)
    {
        var buffer = new byte[4096];
        return times =>
        {
            for (int i = 0; i < times; i++)
            {
                stream.Position = (i & 7) * 4096;
                stream.Write(buffer, 0, 4096);
            }
        };
    }

    private static Way ReadByte(Stream stream) => times =>
    {
        long sum = 0;
        for (int i = 0; i < times; i++)
        {
            if ((i & 1023) == 0)
                stream.Position = 0;
            sum += stream.ReadByte();
        }
        sink += sum;
    };

    [LibraryImport("mmf", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mmf_map_create_new(string name, long capacity, void* options, nint* map);

    [LibraryImport("mmf")]
    private static partial void mmf_map_close(nint map);

    private static void Handles(Comparison comparison, SystemMaps.MemoryMappedFile theirs, MemoryMappedFile ours)
    {
        string name = $"bench new {Environment.ProcessId}";

        Comparison.Head(".NET's unnamed map, our named one");
        comparison.Of(
            "create and dispose",
            times =>
            {
                for (int i = 0; i < times; i++)
                    SystemMaps.MemoryMappedFile.CreateNew(null, 4096).Dispose();
            },
            times =>
            {
                for (int i = 0; i < times; i++)
                    MemoryMappedFile.CreateNew(name, 4096).Dispose();
            },
            CreateTarget);
        comparison.Of(
            "create, view, write, dispose",
            times =>
            {
                for (int i = 0; i < times; i++)
                {
                    using var map = SystemMaps.MemoryMappedFile.CreateNew(null, 4096);
                    using SystemMaps.MemoryMappedViewAccessor view = map.CreateViewAccessor();
                    view.Write(0, i);
                }
            },
            times =>
            {
                for (int i = 0; i < times; i++)
                {
                    using MemoryMappedFile map = MemoryMappedFile.CreateNew(name, 4096);
                    using MemoryMappedViewAccessor view = map.CreateViewAccessor();
                    view.Write(0, i);
                }
            });
        comparison.Of(
            "both unnamed: create and dispose",
            times =>
            {
                for (int i = 0; i < times; i++)
                    SystemMaps.MemoryMappedFile.CreateNew(null, 4096).Dispose();
            },
            times =>
            {
                for (int i = 0; i < times; i++)
                    MemoryMappedFile.CreateNew(null, 4096).Dispose();
            });
        comparison.Of(
            "of that libmmf: P/Invoke, and our types over it",
            times =>
            {
                for (int i = 0; i < times; i++)
                {
                    nint map;
                    if (mmf_map_create_new(name, 4096, null, &map) < 0)
                        throw new InvalidOperationException(name);
                    mmf_map_close(map);
                }
            },
            times =>
            {
                for (int i = 0; i < times; i++)
                    MemoryMappedFile.CreateNew(name, 4096).Dispose();
            },
            0, "P/Invoke");
        comparison.Of(
            "view and dispose",
            times =>
            {
                for (int i = 0; i < times; i++)
                    theirs.CreateViewAccessor().Dispose();
            },
            times =>
            {
                for (int i = 0; i < times; i++)
                    ours.CreateViewAccessor().Dispose();
            });
    }

    private static void Queues(Comparison comparison, string echo)
    {
        using var trip = new RoundTrip(echo);

        Comparison.Head("two queues, from C to C and from C# to C", "C");
        comparison.Of("there and back, 64 bytes", "C to C", trip.OfC, trip.OfOurs, RoundTripTarget);
    }

    private static void Synchronisation(Comparison comparison)
    {
        using var theirMutex = new SystemThreading.Mutex();
        using var theirNamed = new SystemThreading.Mutex(false, $"bench {Environment.ProcessId}");
        using var ourMutex = new Mutex(false, $"bench mutex {Environment.ProcessId}");
        using var theirEvent = new SystemThreading.AutoResetEvent(false);
        using var ourEvent = new EventWaitHandle(false, SystemThreading.EventResetMode.AutoReset,
                                                 $"bench event {Environment.ProcessId}");
        using var theirSemaphore = new SystemThreading.Semaphore(0, 10);
        using var ourSemaphore = new Semaphore(0, 10, $"bench semaphore {Environment.ProcessId}");

        void Ours(int times)
        {
            for (int i = 0; i < times; i++)
            {
                ourMutex.WaitOne();
                ourMutex.ReleaseMutex();
            }
        }

        Comparison.Head("no waiters");
        comparison.Of(
            "Mutex: WaitOne, ReleaseMutex (.NET named)",
            times =>
            {
                for (int i = 0; i < times; i++)
                {
                    theirNamed.WaitOne();
                    theirNamed.ReleaseMutex();
                }
            },
            Ours);
        comparison.Of(
            "Mutex: WaitOne, ReleaseMutex (.NET unnamed)",
            times =>
            {
                for (int i = 0; i < times; i++)
                {
                    theirMutex.WaitOne();
                    theirMutex.ReleaseMutex();
                }
            },
            Ours);
        comparison.Of(
            "event: Set, WaitOne (.NET unnamed)",
            times =>
            {
                for (int i = 0; i < times; i++)
                {
                    theirEvent.Set();
                    theirEvent.WaitOne();
                }
            },
            times =>
            {
                for (int i = 0; i < times; i++)
                {
                    ourEvent.Set();
                    ourEvent.WaitOne();
                }
            });
        comparison.Of(
            "semaphore: Release, WaitOne (.NET unnamed)",
            times =>
            {
                for (int i = 0; i < times; i++)
                {
                    theirSemaphore.Release();
                    theirSemaphore.WaitOne();
                }
            },
            times =>
            {
                for (int i = 0; i < times; i++)
                {
                    ourSemaphore.Release();
                    ourSemaphore.WaitOne();
                }
            });
    }
}
