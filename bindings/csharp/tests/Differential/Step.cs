// One operation with all its numbers, so that a sequence can be told, shortened and repeated.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Mmf.Tests.Differential;

internal enum Verb
{
    CreateNew, CreateNewShort, FromPath, FromStream, FromHandle, DisposeMap, MapState,
    Accessor, AccessorRead, AccessorWrite, ReadArray, WriteArray, AccessorFlush, AccessorState, DisposeAccessor,
    Stream, StreamRead, StreamWrite, StreamReadByte, StreamWriteByte, StreamSeek, StreamPosition, StreamSetLength,
    StreamFlush, StreamCopyTo, StreamState, StreamAsync, DisposeStream,
    BufferRead, FileBytes,
}

internal readonly record struct Step(Verb Verb, int Slot, int View, int Type, int File, long A, long B, int Access,
                                     int C, int D)
{
    internal const int Slots = 3;

    // What is worth trying: ends, pages, and beyond.
    private static readonly long[] Sizes =
    [
        0, 1, 2, 3, 7, 8, 15, 16, 17, 100, 4095, 4096, 4097, 5000, 8191, 8192, 8193, 10000, 65536, 70000,
    ];

    // What would be reserved must not be possible, or it would cost the machine its memory.
    private static readonly long[] Strange = [-1, -100, long.MaxValue, long.MinValue, 1L << 40];

    private static long Size(Random random) =>
        random.Next(20) == 0 ? Strange[random.Next(Strange.Length)] : Sizes[random.Next(Sizes.Length)];

    private static int Usually(Random random, int[] these, int[] seldom) =>
        random.Next(12) == 0 ? seldom[random.Next(seldom.Length)] : these[random.Next(these.Length)];

    // Maps and views are made often enough that most other steps find one.
    private static readonly Verb[] Verbs = Enum.GetValues<Verb>()
        .Concat([Verb.CreateNew, Verb.FromPath, Verb.FromHandle, Verb.Accessor, Verb.Accessor, Verb.Accessor,
                 Verb.Stream, Verb.Stream, Verb.AccessorRead, Verb.AccessorWrite, Verb.AccessorWrite, Verb.StreamWrite,
                 Verb.StreamRead])
        .ToArray();

    internal static Step Random(Random random) => new(
        Verbs[random.Next(Verbs.Length)], random.Next(Slots), random.Next(Slots), random.Next(13), random.Next(Slots),
        Size(random), Size(random), Usually(random, [0, 0, 0, 1, 3], [2, 4, 5, 6, -1]), random.Next(1000),
        random.Next(1000));

    internal static List<Step> Sequence(int seed, int length)
    {
        var random = new Random(seed);

        return Enumerable.Range(0, length).Select(_ => Random(random)).ToList();
    }
}
