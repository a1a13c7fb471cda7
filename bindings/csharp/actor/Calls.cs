// The calls of an actor: each is one of the package's.
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using Mmf.Channels;
using Mmf.Diagnostics;
using static Mmf.Failure;

namespace Mmf.Actor;

internal sealed unsafe partial class Calls(string? handle, string[] words, Dictionary<string, string> outputs)
{
    private static readonly ConcurrentDictionary<string, object> objects = new();
    private static readonly string[] accesses =
        ["read_write", "read", "write", "copy_on_write", "read_execute", "read_write_execute"];

    private static readonly string[] fileModes =
        ["", "create_new", "create", "open", "open_or_create", "truncate", "append"];

    // Others, as null pointers, counts and structures of other versions, are C's.
    private static readonly string[] options =
        ["access", "rights", "inheritability", "exact_capacity", "allocation", "share", "all_users",
         "this_user_only", "mode", "wait_ms"];

    private readonly string[] arguments = words.Skip(1).Where(word => !word.Contains('=')).ToArray();

    /// <summary>The status; or an exception.</summary>
    internal string Make()
    {
        if (Channel() is { } status)
            return status;
        bool isOfNothing = arguments.Contains("NULL") && (words[0] is "read" or "write" or "read_array" or
            "write_array" or "write_bytes" or "position" or "length" or "can_seek");
        bool isWithoutWords = words.Length == 1 ? words[0] is not ("gc" or "collect") : words[0] is "close" or "from_file" && words[1] == "NULL";
        if (isOfNothing || isWithoutWords || words.Skip(1).Any(IsUnknownOption))
            throw new NotImplementedException(words[0]);
        switch (words[0])
        {
            case "map" or "mutex" or "event" or "semaphore":
                return Keep(Create(words[0], 0, out bool created), created);
            case "new":
                return MakeNew();
            case "open":
                return Keep(Open(arguments[0]));
            case "from_file" when words.All(word => !word.Contains('=') || word.StartsWith("access=", StringComparison.Ordinal)):
                return Keep(MemoryMappedFile.CreateFromFile(
                    File(0), (FileMode)Choose(arguments[1], fileModes), Program.Decode(arguments[2]), Number(3),
                    (MemoryMappedFileAccess)Choose(Option("access") ?? "read_write", accesses)));
            case "accessor":
                return Keep(Get<MemoryMappedFile>(0).CreateViewAccessor(Number(1), Number(2), Access(3)));
            case "stream":
                return Keep(Get<MemoryMappedFile>(0).CreateViewStream(Number(1), Number(2), Access(3)));
            case "views":
                return Views(Get<MemoryMappedFile>(0));
            case "get" or "put" or "all" or "fill":
                return Bytes(Get<MemoryMappedFile>(0), words[0] is "get" or "all", words[0] is "get" or "put");
            case "inherits":
                return Say("value", "?");
            case "close" when arguments[0] == "NULL":
                throw new NotImplementedException("a null reference");
            case "close":
                Close(arguments[0]);
                return "MMF_OK";
            case "gc" or "collect":
                return Collect();
            case "list":
                return List();
            case "read" or "write" or "read_array" or "write_array":
                return Values.Call(words[0], Get<MemoryMappedViewAccessor>(0), arguments, outputs);
            default:
                return Wait() ?? Signal() ?? View() ?? Stream() ?? throw new NotImplementedException(words[0]);
        }
    }

    private static bool IsUnknownOption(string word) =>
        word.IndexOf('=') is > 0 and int equals && !options.Contains(word[..equals]);

    private long Number(int i) => long.Parse(arguments[i], CultureInfo.InvariantCulture);

    private string File(int i) => Program.Decode(arguments[i]) is { Length: > 0 } name
        ? Path.Combine(Environment.GetEnvironmentVariable("MMF_TEST_FILES")!, name)
        : Program.Decode(arguments[i])!;

    private T Get<T>(int i) where T : class => arguments[i] == "NULL" ? null! : (T)objects[arguments[i]];

    private static int Choose(string word, string[] choices) =>
        Array.IndexOf(choices, word) is >= 0 and int i ? i : int.Parse(word, CultureInfo.InvariantCulture);

    private MemoryMappedFileAccess Access(int i) => (MemoryMappedFileAccess)Choose(arguments[i], accesses);

    private string Say(string key, object value)
    {
        outputs[key] = string.Create(CultureInfo.InvariantCulture, $"{value}");
        return "MMF_OK";
    }

    //
    // Making.
    //

    private string Keep(IDisposable made, bool? created = null)
    {
        objects[handle!] = made;
        outputs["out"] = "made";
        if (created is { } isNew)
            outputs["created"] = isNew ? "1" : "0";
        return "MMF_OK";
    }

    // Which accesses a view may have; C's actor looks more closely.
    private string Views(MemoryMappedFile map)
    {
        string[] shorts = ["rw", "r", "w", "cow", "rx", "rwx"];
        Dictionary<string, List<string>> lists = new() { ["ok"] = [], ["access"] = [], ["io"] = [] };

        for (int access = 0; access < 6; access++)
        {
            string list = "ok";
            try
            {
                map.CreateViewAccessor(0, arguments.Length > 1 ? Number(1) : 0, (MemoryMappedFileAccess)access).Dispose();
            }
            catch (UnauthorizedAccessException)
            {
                list = "access";
            }
            catch (IOException)
            {
                list = "io";
            }
            lists[list].Add(shorts[access]);
        }
        foreach ((string key, List<string> list) in lists)
            Say(key, Program.Encode(string.Join(',', list)));
        return "MMF_OK";
    }

    // get, put: a byte of a map; all, fill: all of them.
    private string Bytes(MemoryMappedFile map, bool reads, bool one)
    {
        using MemoryMappedViewAccessor view =
            map.CreateViewAccessor(0, 0, reads ? MemoryMappedFileAccess.Read : MemoryMappedFileAccess.ReadWrite);
        long first = one ? Number(1) : 0, last = one ? first : view.Capacity - 1;
        HashSet<byte> values = [];

        for (long i = first; i <= last; i++)
        {
            if (reads)
                values.Add(view.ReadByte(i));
            else
                view.Write(i, (byte)Number(one ? 2 : 1));
        }
        return !reads ? "MMF_OK" : Say("value", values.Count == 1 ? values.First() : "mixed");
    }

    private string? Option(string key) =>
        words.FirstOrDefault(word => word.StartsWith(key + "=", StringComparison.Ordinal))?[(key.Length + 1)..];

    private int Value(string key, int radix = 10) => Option(key) is not { } value ? 0
        : value.StartsWith("0x", StringComparison.Ordinal) ? Convert.ToInt32(value, 16) : Convert.ToInt32(value, radix);

    private Named Name(int i) => new(Program.Decode(arguments[i]), new Native.SyncOptions
    {
        AllUsers = Value("all_users"),
        ThisUserOnly = Value("this_user_only"),
        Mode = (uint)Value("mode", 8),
        WaitMilliseconds = Value("wait_ms"),
    });

    private Native.MapOptions MapOptions() => new()
    {
        Access = Choose(Option("access") ?? "read_write", accesses),
        Rights = Value("rights"),
        Allocation = Value("allocation"),
        Inheritability = Value("inheritability"),
        AllUsers = Value("all_users"),
        Mode = (uint)Value("mode", 8),
        ExactCapacity = Value("exact_capacity"),
        WaitMilliseconds = Value("wait_ms"),
    };

    // `first` is the place of the name.
    private IDisposable Create(string kind, int first, out bool created)
    {
        created = true;
        switch (kind)
        {
            case "map":
                return MemoryMappedFile.CreateOrOpen(Program.Decode(arguments[first])!, Number(first + 1), MapOptions(),
                                                     out created);
            case "mutex":
                bool owned = arguments.Length > first + 1 && Number(first + 1) != 0;
                return new Mutex(Mutex.Create(owned, Name(first), out created));
            case "event":
                var mode = (EventResetMode)Choose(arguments[first + 1], ["auto", "manual"]);
                return new EventWaitHandle(
                    EventWaitHandle.Create(Number(first + 2) != 0, mode, Name(first), out created));
            case "semaphore":
                return new Semaphore(
                    Semaphore.Create((int)Number(first + 1), (int)Number(first + 2), Name(first), out created));
            default:
                throw new NotImplementedException(kind);
        }
    }

    // .NET's waitables have no such constructor: one that says whether the object is new stands for it.
    private string MakeNew()
    {
        if (arguments[0] == "map")
            return Keep(MemoryMappedFile.CreateNew(Program.Decode(arguments[1]), Number(2), MapOptions()));
        IDisposable made = Create(arguments[0], 1, out bool created);
        if (created)
            return Keep(made);
        made.Dispose();
        outputs["param"] = "?";
        outputs["says"] = $"createdNew%20is%20false:%20{arguments[1]}";
        return "MMF_E_EXISTS";
    }

    private IDisposable Open(string kind) => kind switch
    {
        "map" => MemoryMappedFile.OpenExisting(Program.Decode(arguments[1])!, MapOptions()),
        "mutex" => new Mutex(Name(1).Open(About.Mutex, Native.mmf_mutex_open_existing)),
        "event" => new EventWaitHandle(Name(1).Open(About.Event, Native.mmf_event_open_existing)),
        "semaphore" => new Semaphore(Name(1).Open(About.Semaphore, Native.mmf_semaphore_open_existing)),
        _ => throw new NotImplementedException(kind),
    };

    //
    // The namespace.
    //

    private NamedObjectSearch Flags(int first)
    {
        string[] flags = ["local", "global", "keep_orphaned", "holders", "all_users"];

        return arguments[first..].Aggregate(NamedObjectSearch.None, (all, word) => all | (NamedObjectSearch)(
            word[0] == '0' ? Convert.ToInt32(word, word.StartsWith("0x", StringComparison.Ordinal) ? 16 : 8)
                           : 1 << Choose(word, flags)));
    }

    private string Collect()
    {
        OrphanRemoval done = NamedObject.RemoveOrphaned(Flags(0));

        Say("removed", done.Removed);
        Say("refused", done.Refused);
        Say("in_use", done.InUse);
        Say("invalid", done.Invalid);
        return Say("released", done.Bytes / 1_000_000);
    }

    private string List()
    {
        string? name = Program.Decode(arguments[0]);
        NamedObject[] objects = NamedObject.GetAll(Flags(1));
        byte[][] names = Array.ConvertAll(objects, one => Encoding.UTF8.GetBytes(one.Name));
        NamedObject? found = objects.LastOrDefault(one => one.Name == name);

        Say("objects", objects.Length);
        Say("sorted", names.Zip(names.Skip(1)).All(two => two.First.AsSpan().SequenceCompareTo(two.Second) <= 0) ? 1 : 0);
        Say("counters", objects.Count(one => one.Channel != null));
        Say("listed", found != null ? 1 : 0);
        if (found != null)
            SayObject(found);
        return "MMF_OK";
    }

    private static string Whose(int process) =>
        process == 0 ? "none" : process == Environment.ProcessId ? "me" : "other";

    private void SayObject(NamedObject found)
    {
        string command = System.IO.File.ReadAllText("/proc/self/comm").TrimEnd('\n');
        NamedObjectHolder[] readers = found.Holders.Where(one => one.IsReadOnly).ToArray();

        if (found.Channel is { } channel) // before the object's own capacity
            Count(channel);
        Say("status", new[] { "", "in_use", "orphaned", "invalid", "inaccessible" }[(int)found.Status]);
        Say("kind", found.Kind.ToString().ToLowerInvariant());
        Say("holders", found.HolderCount);
        Say("capacity", found.Capacity);
        Say("protection", (int)found.Access);
        Say("mode", Convert.ToString((int)found.UnixFileMode, 8));
        Say("owner", found.UserId);
        Say("file", Program.Encode(found.MappedFile ?? ""));
        Say("path", Program.Encode(found.Path));
        Say("creator", found.CreatorProcessId == 0 ? "unknown" : Whose(found.CreatorProcessId));
        Say("processes", found.Holders.Length);
        Say("readers", readers.Length);
        Say("reader", readers.Length > 0 ? readers[^1].UserId : -1);
        Say("stopped", found.Holders.Count(one => one.IsStopped));
        Say("me", found.Holders.Count(one => one.ProcessId == Environment.ProcessId && one.Command == command && !one.IsStopped));
        Say("state", found.Signal != null ? "said" : "none");
        if (found.Signal is not { } signal)
            return;
        Say("signalled", signal.IsSignalled ? 1 : 0);
        Say("count", signal.Count);
        Say("maximum", signal.MaximumCount);
        Say("manual", signal.IsManualReset ? 1 : 0);
        Say("abandoned", signal.IsAbandoned ? 1 : 0);
        Say("owned", signal.IsOwned ? 1 : 0);
        Say("owned_by", Whose(signal.OwnerProcessId));
        Say("waiters", signal.HasWaiters ? 1 : 0);
        Say("corrupt", signal.IsCorrupt ? 1 : 0);
    }

    //
    // Waiting and signalling.
    //

    // A channel has one.
    private WaitHandle Waitable(int i) => Get<object>(i) is SharedChannel channel ? channel.WaitHandle : Get<WaitHandle>(i);

    private WaitHandle[] Several() =>
        arguments[..^1].Distinct().Count() == arguments.Length - 1 || !arguments[..^1].Any(one => objects[one] is SharedChannel)
            ? arguments[..^1].Select((_, i) => Waitable(i)).ToArray()
            : throw new NotImplementedException("a channel twice");

    private string? Wait()
    {
        switch (words[0])
        {
            case "wait" or "wait_one":
                return Waited(Waitable(0).WaitOne((int)Number(1)));
            case "wait_any":
                int index = WaitHandle.WaitAny(Several(), (int)Number(arguments.Length - 1));
                return index == WaitHandle.WaitTimeout ? Waited(false) : Say("index", index);
            case "wait_all":
                return Waited(WaitHandle.WaitAll(Several(), (int)Number(arguments.Length - 1)));
            case "signal_and_wait":
                return Waited(
                    WaitHandle.SignalAndWait(Waitable(0), Waitable(1), (int)Number(2), false));
            default:
                return null;
        }
    }

    private static string Waited(bool got) => got ? "MMF_OK" : "MMF_TIMED_OUT";

    private string? Signal()
    {
        switch (words[0])
        {
            case "set":
                Get<EventWaitHandle>(0).Set();
                return "MMF_OK";
            case "reset":
                Get<EventWaitHandle>(0).Reset();
                return "MMF_OK";
            case "release" when Get<WaitHandle>(0) is Semaphore semaphore:
                return Say("previous", semaphore.Release((int)Number(1)));
            case "signal" when Get<WaitHandle>(0) is Semaphore semaphore:
                semaphore.Release();
                return "MMF_OK";
            case "signal" when Get<WaitHandle>(0) is EventWaitHandle signal:
                signal.Set();
                return "MMF_OK";
            case "release" or "signal":
                Get<Mutex>(0).ReleaseMutex();
                return "MMF_OK";
            default:
                return null;
        }
    }

    //
    // Views.
    //

    private string? View()
    {
        object view = Get<object>(0);

        switch (words[0])
        {
            case "capacity" when view is MemoryMappedFile map: // what a view of everything has
                try
                {
                    using MemoryMappedViewAccessor all = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
                    return Say("value", all.Capacity);
                }
                catch (UnauthorizedAccessException)
                {
                    return Say("value", "?");
                }
            case "capacity":
                return Say("value", (view as UnmanagedMemoryAccessor)?.Capacity ?? ((UnmanagedMemoryStream)view).Length);
            case "can_read":
                return Say("value", ((view as UnmanagedMemoryAccessor)?.CanRead ?? ((Stream)view).CanRead) ? 1 : 0);
            case "can_write":
                return Say("value", ((view as UnmanagedMemoryAccessor)?.CanWrite ?? ((Stream)view).CanWrite) ? 1 : 0);
            case "pointer_offset":
                return Say("value",
                           (view as MemoryMappedViewAccessor)?.PointerOffset ?? ((MemoryMappedViewStream)view).PointerOffset);
            case "flush" when view is MemoryMappedViewAccessor accessor:
                accessor.Flush();
                return "MMF_OK";
            case "flush":
                ((Stream)view).Flush();
                return "MMF_OK";
            default:
                return null;
        }
    }

    private string? Stream()
    {
        if (Get<object>(0) is not (null or MemoryMappedViewStream))
            return null;
        var stream = Get<MemoryMappedViewStream>(0);

        switch (words[0])
        {
            case "read_bytes":
                byte[] bytes = new byte[Number(1)];
                int read = stream.Read(bytes, 0, bytes.Length);
                Say("read", read);
                return Say("value", Program.Encode(Convert.ToHexString(bytes, 0, read).ToLowerInvariant()));
            case "read_byte":
                return Say("value", stream.ReadByte());
            case "write_byte":
                stream.WriteByte((byte)Number(1));
                return "MMF_OK";
            case "length":
                return Say("value", stream.Length);
            case "set_length":
                stream.SetLength(Number(1));
                return "MMF_OK";
            case "can_seek":
                return Say("value", stream.CanSeek ? 1 : 0);
            case "write_bytes":
                byte[] written = Convert.FromHexString(Program.Decode(arguments[1]) ?? "");
                stream.Write(written, 0, written.Length);
                return "MMF_OK";
            case "seek":
                return Say("position",
                           stream.Seek(Number(1), (SeekOrigin)Choose(arguments[2], ["begin", "current", "end"])));
            case "set_position":
                stream.Position = Number(1);
                return "MMF_OK";
            case "position":
                return Say("value", stream.Position);
            default:
                return null;
        }
    }
}
