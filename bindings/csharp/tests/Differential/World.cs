// One side's maps, views and files, and what a step does to them, as a text to compare.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Win32.SafeHandles;

namespace Mmf.Tests.Differential;

internal sealed class World : IDisposable
{
    private readonly record struct Three(byte A, byte B, byte C);
    private readonly record struct Six(short A, short B, short C);
    private readonly record struct Twelve(int A, int B, int C);

    private readonly Side side;
    private readonly string directory;
    private readonly IDisposable?[] maps = new IDisposable?[Step.Slots];
    private readonly UnmanagedMemoryAccessor?[] accessors = new UnmanagedMemoryAccessor?[Step.Slots];
    private readonly UnmanagedMemoryStream?[] streams = new UnmanagedMemoryStream?[Step.Slots];
    private readonly List<(int File, IDisposable Handle)> files = [];
    private readonly int[] pathOfMap = new int[Step.Slots]; // the file it opened by path; else -1
    private readonly int[] fileOfMap = new int[Step.Slots]; // the file it is of; else -1
    private readonly List<(int File, IDisposable View)> views = []; // of files

    internal World(Side side)
    {
        this.side = side;
        directory = Namespace.NewPath();
        Directory.CreateDirectory(directory);
        File.WriteAllBytes(PathOf(0), Enumerable.Range(0, 10000).Select(i => (byte)(i * 7)).ToArray());
        File.WriteAllBytes(PathOf(1), []);
    }

    public void Dispose()
    {
        foreach (IDisposable? thing in streams.Cast<IDisposable?>().Concat(accessors).Concat(maps).Concat(files.Select(f => f.Handle)))
            thing?.Dispose();
        Directory.Delete(directory, true);
    }

    private bool IsInUse(int file) =>
        files.Any(f => f.File == file && IsOpen(f.Handle)) ||
        Enumerable.Range(0, Step.Slots).Any(slot => pathOfMap[slot] == file && maps[slot] is { } map && !side.IsClosed(map));

    // A file that is cut off under a view raises a signal at the next access, in .NET as in mmf.
    private bool MayNotBeCut(int file) =>
        IsInUse(file) || views.Any(v => v.File == file && !side.About(v.View).Handle.IsClosed);

    // What was in the slot goes, so that nothing depends on the garbage collector.
    private string Take(int slot, IDisposable map, int file, bool byPath)
    {
        maps[slot]?.Dispose();
        maps[slot] = map;
        fileOfMap[slot] = file;
        pathOfMap[slot] = byPath ? file : -1;
        return "ok";
    }

    private string Take<T>(T?[] slots, Step s, T view) where T : class, IDisposable
    {
        slots[s.View]?.Dispose();
        slots[s.View] = view;
        if (fileOfMap[s.Slot] >= 0)
            views.Add((fileOfMap[s.Slot], view));
        return About(view);
    }

    private string PathOf(int file) => Path.Combine(directory, $"f{file}");

    /// <summary>What the step answered: a value, or the exception and its parameter.</summary>
    internal string Do(Step step)
    {
        try
        {
            return Run(step);
        }
        catch (Exception exception) when (exception is not NullReferenceException)
        {
            string parameter = exception is ArgumentException argument ? $"({argument.ParamName})" : "";
            return exception.GetType().Name + parameter;
        }
    }

    /// <summary>Forgets the map of a slot, after one side made it and the other refused.</summary>
    internal void DropMap(int slot)
    {
        maps[slot]?.Dispose();
        maps[slot] = null;
    }

    private string Run(Step s)
    {
        switch (s.Verb)
        {
            case <= Verb.MapState:
                return OnMap(s);
            case Verb.Accessor:
                if (maps[s.Slot] is not { } map)
                    return "no map";
                return Take(accessors, s, side.Accessor(map, s.A, s.B, s.Access));
            case Verb.Stream:
                if (maps[s.Slot] is not { } of)
                    return "no map";
                return Take(streams, s, side.Stream(of, s.A, s.B, s.Access));
            case <= Verb.DisposeAccessor:
                return accessors[s.View] is { } accessor ? OnAccessor(s, accessor) : "no view";
            case <= Verb.DisposeStream:
                return streams[s.View] is { } stream ? OnStream(s, stream) : "no view";
            case Verb.BufferRead:
                IDisposable? view = s.C % 2 == 0 ? accessors[s.View] : streams[s.View];
                return view != null ? OnBuffer(s, side.About(view).Handle) : "no view";
            default:
                return FileBytes(s.File);
        }
    }

    //
    // Maps.
    //

    private string OnMap(Step s)
    {
        string? name = s.D == 0 ? "" : null;
        int inheritability = s.C % 40 == 0 ? 2 : s.C % 2;

        switch (s.Verb)
        {
            case Verb.CreateNew:
                int options = s.D % 40 == 1 ? 3 : s.D % 2 * 0x4000000;
                return Take(s.Slot, side.CreateNew(name, s.A, s.Access, options, inheritability), -1, false);
            case Verb.CreateNewShort:
                return Take(s.Slot, side.CreateNew(s.A), -1, false);
            case Verb.FromPath:
                FileMode mode = s.C % 3 != 0 ? FileMode.Open : (FileMode)(s.C / 3 % 8);
                string path = s.D == 1 ? "" : s.D == 2 ? PathOf(9) + "/x" : s.D == 3 ? directory : PathOf(s.File);
                if (mode == FileMode.Create && MayNotBeCut(s.File))
                    return "in use";
                if (IsInUse(s.File) && s.D % 20 != 5)
                    return "in use"; // seldom tried: what .NET on Unix allows then, Windows refuses
                return Take(s.Slot, side.FromPath(path, mode, name, s.B % 2 == 0 ? 0 : s.A, s.Access), s.File, true);
            case Verb.FromStream:
                FileStream stream = new(PathOf(s.File), FileMode.Open, AccessOfFile(s), FileShare.ReadWrite);
                files.Add((s.File, stream));
                if (s.D % 30 == 4)
                    stream.Dispose();
                else if (stream.CanWrite)
                    stream.WriteByte((byte)s.D); // stays in its buffer
                return Take(s.Slot, side.FromStream(stream, name, s.B % 2 == 0 ? 0 : s.A, s.Access, inheritability,
                                                    s.D % 2 == 0), s.File, false);
            case Verb.FromHandle:
                SafeFileHandle handle = File.OpenHandle(PathOf(s.File), FileMode.Open, AccessOfFile(s),
                                                        FileShare.ReadWrite);
                files.Add((s.File, handle));
                if (s.D % 30 == 4)
                    handle.Dispose();
                return Take(s.Slot, side.FromHandle(handle, name, s.B % 2 == 0 ? 0 : s.A, s.Access, inheritability,
                                                    s.D % 2 == 0), s.File, false);
        }
        if (maps[s.Slot] is not { } map)
            return "no map";
        if (s.Verb == Verb.DisposeMap)
            map.Dispose();
        return $"closed {side.IsClosed(map)}, files {string.Join(' ', files.Select(f => IsOpen(f.Handle)))}";
    }

    private static FileAccess AccessOfFile(Step s) => s.C % 4 == 3 ? (FileAccess)(1 + s.D % 2) : FileAccess.ReadWrite;

    private static bool IsOpen(IDisposable file) =>
        file is FileStream stream ? stream.CanSeek : !((SafeFileHandle)file).IsClosed;

    private string FileBytes(int file)
    {
        using FileStream stream = new(PathOf(file), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return Digest(bytes);
    }

    private static string Digest(ReadOnlySpan<byte> bytes)
    {
        ulong hash = 14695981039346656037;
        foreach (byte b in bytes)
            hash = (hash ^ b) * 1099511628211;
        return $"{bytes.Length} bytes, {hash:x}";
    }

    //
    // Accessors.
    //

    private string About(IDisposable view)
    {
        var (pointerOffset, handle) = side.About(view);
        string length = handle.IsClosed ? "closed" : handle.ByteLength.ToString();
        return $"{pointerOffset} {length} " + view switch
        {
            UnmanagedMemoryAccessor a => $"{a.Capacity} {a.CanRead} {a.CanWrite}",
            UnmanagedMemoryStream { CanSeek: true } s => $"{s.Length} {s.Capacity} {s.Position} {s.CanRead} {s.CanWrite}",
            _ => "closed",
        };
    }

    private string OnAccessor(Step s, UnmanagedMemoryAccessor view)
    {
        // A position is tried near the end as often as near the start.
        long position = s.D % 2 == 0 ? s.A : view.Capacity - s.A;

        switch (s.Verb)
        {
            case Verb.AccessorRead:
                return Read(view, s.Type, position);
            case Verb.AccessorWrite:
                Write(view, s.Type, position, s.C);
                return "ok";
            case Verb.ReadArray:
                return Array(s, false, view, position);
            case Verb.WriteArray:
                return Array(s, true, view, position);
            case Verb.AccessorFlush:
                side.Flush(view);
                return "ok";
            case Verb.DisposeAccessor:
                view.Dispose();
                break;
        }
        return About(view);
    }

    private static string Read(UnmanagedMemoryAccessor view, int type, long position) => type switch
    {
        0 => view.ReadBoolean(position).ToString(),
        1 => view.ReadByte(position).ToString(),
        2 => view.ReadSByte(position).ToString(),
        3 => ((int)view.ReadChar(position)).ToString(),
        4 => view.ReadInt16(position).ToString(),
        5 => view.ReadUInt16(position).ToString(),
        6 => view.ReadInt32(position).ToString(),
        7 => view.ReadUInt32(position).ToString(),
        8 => view.ReadInt64(position).ToString(),
        9 => view.ReadUInt64(position).ToString(),
        10 => BitConverter.SingleToInt32Bits(view.ReadSingle(position)).ToString(),
        11 => BitConverter.DoubleToInt64Bits(view.ReadDouble(position)).ToString(),
        _ => view.ReadDecimal(position).ToString(),
    };

    private static void Write(UnmanagedMemoryAccessor view, int type, long position, int value)
    {
        switch (type)
        {
            case 0: view.Write(position, value % 2 == 0); break;
            case 1: view.Write(position, (byte)value); break;
            case 2: view.Write(position, (sbyte)value); break;
            case 3: view.Write(position, (char)value); break;
            case 4: view.Write(position, (short)(value * -11)); break;
            case 5: view.Write(position, (ushort)(value * 13)); break;
            case 6: view.Write(position, value * -1000003); break;
            case 7: view.Write(position, (uint)value * 1000003u); break;
            case 8: view.Write(position, value * -1000000000039L); break;
            case 9: view.Write(position, (ulong)value * 1000000000039ul); break;
            case 10: view.Write(position, value / 7f); break;
            case 11: view.Write(position, value / -7.0); break;
            default: view.Write(position, value / 8m); break;
        }
    }

    private static string Array(Step s, bool write, UnmanagedMemoryAccessor view, long position) => (s.Type % 8) switch
    {
        0 => Array<byte>(s, write, view, position),
        1 => Array<short>(s, write, view, position),
        2 => Array<Three>(s, write, view, position),
        3 => Array<int>(s, write, view, position),
        4 => Array<Six>(s, write, view, position),
        5 => Array<double>(s, write, view, position),
        6 => Array<Twelve>(s, write, view, position),
        _ => Array<decimal>(s, write, view, position),
    };

    private static string Array<T>(Step s, bool write, UnmanagedMemoryAccessor view, long position) where T : struct
    {
        T[]? array = s.D == 0 ? null : new T[s.C % 50];
        int offset = s.D % 20 == 1 ? -1 : s.D % 5;
        int count = s.D % 20 == 2 ? -1 : s.D % 20 == 3 ? 50 : Math.Max(0, s.C % 50 - offset);

        if (array != null)
        {
            Span<byte> bytes = MemoryMarshal.AsBytes(array.AsSpan());
            for (int i = 0; i < bytes.Length; i++)
                bytes[i] = (byte)(i * s.C);
        }
        if (write)
        {
            view.WriteArray(position, array!, offset, count);
            return "ok";
        }
        int read = view.ReadArray(position, array!, offset, count);
        return $"{read} of {Digest(MemoryMarshal.AsBytes(array.AsSpan()))}";
    }

    //
    // Streams.
    //

    private string OnStream(Step s, UnmanagedMemoryStream stream)
    {
        switch (s.Verb)
        {
            case Verb.StreamRead:
                return StreamRead(s, stream);
            case Verb.StreamWrite:
                StreamWrite(s, stream);
                return $"at {stream.Position}";
            case Verb.StreamReadByte:
                return $"{stream.ReadByte()} at {stream.Position}";
            case Verb.StreamWriteByte:
                stream.WriteByte((byte)s.C);
                return $"at {stream.Position}";
            case Verb.StreamSeek:
                return $"{stream.Seek(s.D % 2 == 0 ? s.A : -s.A, (SeekOrigin)(s.C % 4))} at {stream.Position}";
            case Verb.StreamPosition:
                stream.Position = s.A;
                return $"at {stream.Position}";
            case Verb.StreamSetLength:
                stream.SetLength(s.A);
                return "ok";
            case Verb.StreamFlush:
                stream.Flush();
                return "ok";
            case Verb.StreamCopyTo:
                using (var copy = new MemoryStream())
                {
                    stream.CopyTo(copy, s.C % 100 == 0 ? 0 : 1 + s.C);
                    return $"{Digest(copy.ToArray())} at {stream.Position}";
                }
            case Verb.StreamAsync:
                return StreamAsync(s, stream);
            case Verb.DisposeStream:
                stream.Dispose();
                break;
        }
        return About(stream);
    }

    private static string StreamRead(Step s, UnmanagedMemoryStream stream)
    {
        var buffer = new byte[s.C];
        int read = s.D % 3 == 0
            ? stream.Read(buffer.AsSpan())
            : stream.Read(s.D == 1 ? null! : buffer, s.D % 20 == 2 ? -1 : s.D % 7,
                          s.D % 20 == 4 ? -1 : Math.Max(0, s.C - s.D % 7));
        return $"{read} of {Digest(buffer)} at {stream.Position}";
    }

    private static void StreamWrite(Step s, UnmanagedMemoryStream stream)
    {
        var buffer = new byte[s.C];
        for (int i = 0; i < buffer.Length; i++)
            buffer[i] = (byte)(i * s.D);
        if (s.D % 3 == 0)
            stream.Write(buffer.AsSpan());
        else
            stream.Write(s.D == 1 ? null! : buffer, s.D % 20 == 2 ? -1 : s.D % 7,
                         s.D % 20 == 4 ? -1 : Math.Max(0, s.C - s.D % 7));
    }

    private static string StreamAsync(Step s, UnmanagedMemoryStream stream)
    {
        var token = new CancellationToken(s.D % 5 == 0);
        var buffer = new byte[s.C];
        Task task = (s.D % 3) switch
        {
            0 => stream.ReadAsync(buffer, 0, buffer.Length, token),
            1 => stream.WriteAsync(buffer, 0, buffer.Length, token),
            _ => stream.FlushAsync(token),
        };
        return $"{task.Status} {(task as Task<int>)?.IsCompletedSuccessfully} " +
               $"{task.Exception?.InnerException?.GetType().Name} {Digest(buffer)}";
    }

    //
    // The handle as a SafeBuffer.
    //

    private static unsafe string OnBuffer(Step s, SafeBuffer buffer)
    {
        byte* start = null;

        buffer.AcquirePointer(ref start);
        try
        {
            ulong length = buffer.ByteLength;
            return s.D % 2 == 0 || length == 0
                ? $"{start != null} {length}"
                : $"{start[length - 1]} {buffer.Read<byte>((ulong)s.A)}";
        }
        finally
        {
            buffer.ReleasePointer();
        }
    }
}
