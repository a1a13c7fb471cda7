// The calls of an actor on queues, topics, latest values and services.
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Mmf.Channels;

namespace Mmf.Actor;

internal sealed unsafe partial class Calls
{
    private const int ShownLength = 64, Beyond = 64;
    private const byte Unwritten = 0x5a;
    private static readonly string[] kinds = ["queue", "topic", "latest", "service"];
    private static readonly string[] roles = ["", "send", "receive", "both"];
    private static readonly string[] parts = ["", "client", "server", "both"];
    private static readonly string[] strategies = ["spin_then_wait", "spin", "wait"];
    private static readonly string[] overflows = ["", "block", "fail", "drop_oldest"];

    private static readonly string[] makingOptions =
        ["role", "strategy", "flags", "spsc", "peer_closed", "single", "max_senders", "max_receivers", "replay",
         "max_pins", "max_clients", "max_servers", "max_calls", "max_answers", "all_users", "mode", "wait_ms",
         "wraps", "zeroed"];

    private static readonly string[] callOptions = ["length", "again"];

    // By name: a Native.Message, a ServiceRequest or the parts of a ServiceAnswer that was taken, or the number of a
    // call, a message or a version. What was taken last of a topic or a latest value has the channel's name, too.
    private static readonly ConcurrentDictionary<string, (SharedChannel Channel, object What)> messages = new();

    // What is reserved, by the name of the channel or the request. A Message and a Reservation are for the stack
    // alone: here they are in parts, which are put together for each call.
    private static readonly ConcurrentDictionary<string, (nint Bytes, int Length, int Number)> slots = new();

    /// <summary>The status; null: the call is not about a channel.</summary>
    private string? Channel()
    {
        try
        {
            return MakeOrCall();
        }
        catch (ArgumentException own) when (own.Data.Count == 0) // the package has not asked the library
        {
            own.Data["mmf.parameter"] = own.ParamName == "timeout" ? "timeout_ms" : Snake(own.ParamName ?? "");
            throw;
        }
        catch (InvalidOperationException own) when (own.Data.Count == 0 && own is not ObjectDisposedException)
        {
            own.Data["mmf.status"] = "MMF_E_STATE";
            throw;
        }
    }

    private string? MakeOrCall()
    {
        int first = words[0] is "new" or "open" ? 1 : 0;

        if (kinds.Contains(words.ElementAtOrDefault(first)))
        {
            CheckOptions(makingOptions);
            SharedChannel made = Make(words[first], words[0], first, out bool created);
            return Keep(made, first == 0 ? created : null);
        }
        if (words[0] == "browse" && words.Length == 3)
            return Browse(SharedQueue.Browse(Program.Decode(arguments[0])!, Int(1)), false);
        if (words[0] == "browse_bytes" && words.Length == 4)
            return Browse(SharedQueue.Browse(Program.Decode(arguments[0])!, Int(1), Int(2)), true);
        if (words[0] == "stat_name" && words.Length == 2)
            return Count(SharedChannel.GetStatistics(Program.Decode(arguments[0])!));
        if (words[0] == "close" || Among(arguments) is not { } channel)
            return null;
        CheckOptions(callOptions);
        string status;
        while ((status = Call(channel)) == "MMF_TIMED_OUT" && Option("again") != null)
            Thread.Sleep(1);
        return status;
    }

    private SharedChannel? Among(string[] names) =>
        words[0] == "again" ? messages[names[0]].Channel
        : names.Select(name => objects.GetValueOrDefault(name)).OfType<SharedChannel>().FirstOrDefault();

    private void CheckOptions(string[] known)
    {
        if (words.Any(word => word.IndexOf('=') is > 0 and int equals && !known.Contains(word[..equals])) ||
            Value("wraps") != 0 || Value("all_users") is not (0 or 1) || Value("wait_ms") < -1)
            throw new NotImplementedException(words[0]);
    }

    private string Call(SharedChannel channel) => (words[0], channel) switch
    {
        ("send", SharedService one) => one.TrySend(Payload(1), out ulong call, Ms(2)) ? Sent(call) : Waited(false),
        ("send", MessageChannel one) when one is not SharedLatest && Number(2) == -1 => Sent(one.Send(Payload(1))),
        ("send", MessageChannel one) => one.TrySend(Payload(1), out ulong sequence, one is SharedLatest ? default : Ms(2))
            ? Sent(sequence) : Full(one),
        ("send_many", SharedQueue one) => SentMany(one, one.SendMany(Texts(), Ms(arguments.Length - 1))),
        ("send_many", SharedTopic one) => SentMany(one, one.SendMany(Texts(), Ms(arguments.Length - 1))),
        ("reserve", _) => Reserve(channel),
        ("commit", _) => Commit(Reserved(channel), null),
        ("commit_from", _) => Commit(Reserved(channel), (ulong)Number(2)),
        ("abandon", _) => Abandon(Reserved(channel)),
        ("drain", SharedQueue one) => Waited(one.TryDrain(Ms(1))),
        ("applied", SharedQueue one) => Say("position", (long)one.Applied((ulong)Number(1))),
        ("take", SharedService one) => Take(one),
        ("take", MessageChannel one) => Take(one),
        ("again", MessageChannel one) => SayBytes(Taken(one, 0).Bytes),
        ("receive", MessageChannel one) => Receive(one),
        ("receive_many", SharedQueue one) => ReceiveMany(one),
        ("take_many", SharedQueue one) => TakeMany(one),
        ("release_many", SharedQueue one) when arguments.Length > 1 => Done(() => new MessageBatch(one, Contents()).Release()),
        ("release", SharedQueue one) => Released(Taken(one, 1).Release()),
        ("release", MessageChannel one) => Released(Taken(one, 0).Release()),
        ("return", SharedQueue one) => Done(() => Taken(one, 1).Return()),
        ("return", SharedService) => Return(Request),
        ("wait_newer", SharedLatest one) => Waited(one.WaitForNewer(Numbered(1), Ms(2))),
        ("call", SharedService one) when Number(2) >= one.AnswerSize => CallService(one),
        ("receive_answer", SharedService one) when Number(2) >= one.AnswerSize => ReceiveAnswer(one, Ms(3)),
        ("take_answer", SharedService one) => TakeAnswer(one),
        ("release_answer", SharedService one) => Done(() => Answered(one).Release()),
        ("cancel", SharedService one) => Done(() => one.Cancel(Numbered(1))),
        ("is_wanted", SharedService) => Say("value", Request.IsWanted ? 1 : 0),
        ("answer", SharedService) => Answer(Request),
        ("reserve_answer", SharedService) => ReserveAnswer(Request),
        ("commit_answer", SharedService) => CommitAnswer(Request),
        ("stat", _) => Count(channel.GetStatistics()),
        ("wait_one" or "wait_any" or "wait_all" or "signal_and_wait", _) => Wait() ?? throw Cannot(),
        _ => throw Cannot(),
    };

    //
    // Making and closing.
    //

    private SharedChannel Make(string kind, string how, int first, out bool created)
    {
        string name = Program.Decode(arguments[first])!;
        ChannelOptions? options = kind == "service" ? null : OptionsOfChannel();
        ServiceOptions? ofService = kind == "service" ? OptionsOfService() : null;

        int Size(int i) => Int(first + i);
        ChannelOverflow Overflow() => (ChannelOverflow)Choose(arguments[first + 3], overflows);

        created = true;
        return (how, kind) switch
        {
            ("open", "queue") => SharedQueue.OpenExisting(name, options),
            ("open", "topic") => SharedTopic.OpenExisting(name, options),
            ("open", "latest") => SharedLatest.OpenExisting(name, options),
            ("open", _) => SharedService.OpenExisting(name, ofService),
            ("new", "queue") => SharedQueue.CreateNew(name, Size(1), Size(2), Overflow(), options),
            ("new", "topic") => SharedTopic.CreateNew(name, Size(1), Size(2), Overflow(), options),
            ("new", "latest") => SharedLatest.CreateNew(name, Size(1), options),
            ("new", _) => SharedService.CreateNew(name, Size(1), Size(2), Size(3), ofService),
            (_, "queue") => SharedQueue.CreateOrOpen(name, Size(1), Size(2), Overflow(), options, out created),
            (_, "topic") => SharedTopic.CreateOrOpen(name, Size(1), Size(2), Overflow(), options, out created),
            (_, "latest") => SharedLatest.CreateOrOpen(name, Size(1), options, out created),
            _ => SharedService.CreateOrOpen(name, Size(1), Size(2), Size(3), ofService, out created),
        };
    }

    private ChannelOptions? OptionsOfChannel() => !HasOptions ? null : With(new ChannelOptions
    {
        SingleProducerSingleConsumer = HasFlag(1, "spsc"),
        SingleProducer = HasFlag(4, "single"),
        MaxSenders = Value("max_senders"),
        MaxReceivers = Value("max_receivers"),
        MaxPins = Value("max_pins"),
        Replay = Value("replay"),
    }, roles);

    private ServiceOptions? OptionsOfService() => !HasOptions ? null : HasFlag(1, "spsc") ? throw Cannot() : With(new ServiceOptions
    {
        MaxClients = Value("max_clients"),
        MaxServers = Value("max_servers"),
        MaxCalls = Value("max_calls"),
        MaxAnswers = Value("max_answers"),
    }, parts);

    private T With<T>(T its, string[] roles) where T : SharedChannelOptions => (T)((SharedChannelOptions)its with
    {
        Roles = (ChannelRoles)Choose(Option("role") ?? "both", roles),
        Strategy = (ChannelStrategy)Choose(Option("strategy") ?? "0", strategies),
        EndWithLastPeer = HasFlag(2, "peer_closed"),
        AllUsers = Value("all_users") != 0,
        UnixCreateMode = (UnixFileMode)Value("mode", 8),
        WaitForName = TimeSpan.FromMilliseconds(Value("wait_ms")),
    });

    private bool HasOptions => words.Any(word => word.Contains('='));

    private bool HasFlag(int flag, string name) =>
        (Value("flags") & ~7) != 0 ? throw Cannot() : Value(name) != 0 || (Value("flags") & flag) != 0;

    /// <summary>Closes a handle, also one that has messages which were neither released nor returned.</summary>
    private void Close(string name)
    {
        if (!CloseOrForget(name))
            return;
        // As of a program that does not use them any more.
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    // True: it stays open for what was taken, which nothing knows any more.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool CloseOrForget(string name)
    {
        objects.TryRemove(name, out object? closed);
        ((IDisposable)closed!).Dispose();
        if (closed is not SharedChannel channel)
            return false;
        foreach ((string key, (SharedChannel its, _)) in messages)
        {
            if (its == channel)
                messages.TryRemove(key, out _);
        }
        slots.TryRemove(name, out _);
        if (!channel.Handle.TryEnterForTaken(out _))
            return false;
        channel.Handle.Exit();
        return true;
    }

    //
    // Arguments and outputs.
    //

    private NotImplementedException Cannot() => new(words[0]);

    private int Int(int i) => checked((int)Number(i));

    private TimeSpan Ms(int i) => TimeSpan.FromMilliseconds(Number(i));

    /// <summary>What a word says is sent: its text, or `length=N` bytes in which it comes again and again.</summary>
    private byte[] Payload(int i)
    {
        byte[] text = Encoding.UTF8.GetBytes(Program.Decode(arguments[i]) ?? throw Cannot());

        if (Option("length") is not { } length)
            return text;
        var bytes = new byte[checked((int)ulong.Parse(length, CultureInfo.InvariantCulture))];
        for (int k = 0; k < bytes.Length; k++)
            bytes[k] = text[k % text.Length];
        return bytes;
    }

    private ReadOnlyMemory<byte>[] Texts() => arguments[1..^1].Select(word =>
        (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(Program.Decode(word) ?? throw Cannot())).ToArray();

    private Native.Message[] Contents() =>
        arguments[1..].Select(name => messages[name].What is Native.Message content ? content : throw Cannot()).ToArray();

    private ServiceRequest Request => messages[arguments[1]].What as ServiceRequest ?? throw Cannot();

    private Message Taken(MessageChannel channel, int i) =>
        messages[arguments[i]].What is Native.Message content ? new Message(channel, content) : throw Cannot();

    private Reservation Reserved(SharedChannel channel)
    {
        (nint bytes, int length, int number) = slots[arguments[0]];

        return new Reservation(channel, (byte*)bytes, length, number);
    }

    // The number of a call, a version or a message that has a name, or itself.
    private ulong Numbered(int i) =>
        long.TryParse(arguments[i], CultureInfo.InvariantCulture, out long number) ? (ulong)number
        : messages[arguments[i]].What switch
        {
            Native.Message content => content.Sequence,
            (Native.Message content, int) => content.Sequence,
            ServiceRequest request => request.Sequence,
            ulong its => its,
            _ => throw Cannot(),
        };

    private string Name(string? name, object? what)
    {
        if (name != null && what != null)
            messages[name] = ((SharedChannel)objects[arguments[0]], what);
        else if (name != null)
            messages.TryRemove(name, out _);
        return "MMF_OK";
    }

    private static string Done(Action call)
    {
        call();
        return "MMF_OK";
    }

    private string SayBytes(ReadOnlySpan<byte> bytes)
    {
        string text = Encoding.UTF8.GetString(bytes);

        Say("bytes", Program.Encode(Shown(bytes)));
        Say("filled", Program.Encode(Filled(text)));
        foreach (string key in new[] { "sequence", "lost", "deliveries", "redelivered", "last", "sent_as" })
            outputs.TryAdd(key, "?");
        return Say("length", bytes.Length);
    }

    private static string Filled(string text) =>
        text.Length > 0 && text.All(c => c == text[0]) ? $"{text[0]}*{text.Length}" : text;

    private static string Shown(ReadOnlySpan<byte> bytes)
    {
        string text = Encoding.UTF8.GetString(bytes);

        return text.Length > ShownLength ? Filled(text) : text;
    }

    private void SayInfo(MessageInfo info)
    {
        Say("sequence", info.Sequence);
        Say("lost", info.Lost);
        Say("deliveries", info.Deliveries);
        Say("redelivered", info.IsRedelivered ? 1 : 0);
        Say("last", info.IsLast ? 1 : 0);
    }

    // messageSize: message_size
    private static string Snake(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) && i > 0 ? "_" + c : $"{c}")).ToLowerInvariant();

    private string Count(ChannelStatistics counted)
    {
        foreach (PropertyInfo property in typeof(ChannelStatistics).GetProperties())
            Say(Snake(property.Name), Snake($"{property.GetValue(counted)}"));
        return Say("flags", (counted.SingleProducerSingleConsumer ? 1 : 0) + (counted.SingleProducer ? 4 : 0) +
                            (counted.IsDepthInPart ? 256 : 0));
    }

    private string Browse(QueueItem[] items, bool withBytes)
    {
        Say("count", items.Length);
        Say("sequences", string.Join(',', items.Select(item => item.Sequence)));
        return Say("items", string.Join(',', items.Select(
            item => $"{Snake($"{item.State}")}/{item.Deliveries}/{(withBytes ? Program.Encode(Shown(item.Bytes)) : item.Length)}" +
                    (item.ProcessId == 0 ? "" : item.ProcessId != Environment.ProcessId ? "/elsewhere"
                        : item.Age != null ? "/held" : "/here"))));
    }

    //
    // Sending.
    //

    private string Sent(ulong number)
    {
        Name(handle, number);
        return Say("sequence", number);
    }

    // What a Try that is false means.
    private string Full(SharedChannel channel) =>
        channel is MessageChannel { Overflow: ChannelOverflow.Fail } && Option("again") == null
            ? throw new IOException("full") { Data = { ["mmf.status"] = "MMF_E_FULL" } }
            : Waited(false);

    private string SentMany(MessageChannel channel, int sent) =>
        sent > 0 || arguments.Length == 2 ? Say("sent", sent) : Full(channel);

    private string Reserve(SharedChannel channel)
    {
        Reservation reserved;

        if (Number(2) == -1)
            reserved = channel.Reserve(Int(1));
        else if (!channel.TryReserve(Int(1), out reserved, channel is SharedLatest ? default : Ms(2)))
            return Full(channel);
        slots[arguments[0]] = ((nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(reserved.Bytes)), Int(1),
                               reserved.Number);
        return "MMF_OK";
    }

    private string Commit(Reservation reserved, ulong? source)
    {
        byte[] payload = Payload(1);
        (nint bytes, _, int number) = slots[arguments[0]];

        if (bytes != 0)
            Write(payload, reserved.Bytes);
        ulong sequence = source is { } from ? reserved.CommitFrom(from, (ulong)Number(3), payload.Length)
                                            : reserved.Commit(payload.Length);
        slots[arguments[0]] = (0, 0, number);
        return Sent(sequence);
    }

    // A payload that is too long is for the call to refuse.
    private static void Write(byte[] payload, Span<byte> room) =>
        payload.AsSpan(0, Math.Min(payload.Length, room.Length)).CopyTo(room);

    private string Abandon(Reservation reserved)
    {
        if (!slots.TryRemove(arguments[0], out var slot) || slot.Bytes == 0)
            throw Cannot(); // Dispose does not say that there was nothing
        reserved.Dispose();
        return "MMF_OK";
    }

    //
    // Receiving.
    //

    private string Take(MessageChannel channel)
    {
        if (!channel.TryTake(out Message message, Ms(1)))
            return Waited(false);
        Say("sequence", message.Sequence);
        Say("lost", message.Lost);
        Say("deliveries", message.Deliveries);
        Say("redelivered", message.IsRedelivered ? 1 : 0);
        SayBytes(message.Bytes);
        if (channel is not SharedQueue)
            Name(arguments[0], message.Content);
        return Name(handle, message.Content);
    }

    private string Receive(MessageChannel channel)
    {
        int capacity = Int(1);
        var buffer = new byte[checked(capacity + Beyond)];

        buffer.AsSpan().Fill(Unwritten);
        bool isThere = channel.TryReceive(buffer.AsSpan(0, capacity), out MessageInfo info,
                                          channel is SharedLatest ? default : Ms(2));
        if (buffer.AsSpan(info.Length).ContainsAnyExcept(Unwritten))
            throw new InvalidDataException("Bytes were written behind the message.");
        if (!isThere && channel is not SharedLatest)
            return Waited(false);
        SayInfo(info); // of a latest value, before the first one, all is 0
        SayBytes(buffer.AsSpan(0, info.Length));
        return Name(handle, info.Sequence);
    }

    private string TakeMany(SharedQueue queue)
    {
        var texts = new List<string>();

        if (!queue.TryTakeMany(Int(1), out MessageBatch batch, Ms(2)))
            return Waited(false);
        foreach (Message message in batch)
        {
            texts.Add(Encoding.UTF8.GetString(message.Bytes));
            Name($"{handle}{texts.Count}", message.Content);
        }
        Say("count", batch.Count);
        return Say("bytes", Program.Encode(string.Join(',', texts)));
    }

    private string ReceiveMany(SharedQueue queue)
    {
        string[] several = Enumerable.Range(0, Int(1)).Select(_ => Encoding.UTF8.GetString(
            queue.TryReceive(out byte[]? one, Ms(2)) ? one : throw new TimeoutException())).ToArray();

        Array.Sort(several, StringComparer.Ordinal);
        return Say("bytes", string.Join(',', several));
    }

    private static string Released(bool isValid) => isValid ? "MMF_OK" : "MMF_OVERWRITTEN";

    //
    // Services.
    //

    private string Take(SharedService service)
    {
        if (!service.TryTake(out ServiceRequest? request, Ms(1)))
            return Waited(false);
        Say("sequence", request.Sequence);
        Say("deliveries", request.Deliveries);
        Say("redelivered", request.Deliveries > 1 ? 1 : 0);
        SayBytes(request.Bytes);
        slots.TryRemove(handle ?? "", out _); // of another request of that name
        return Name(handle, request);
    }

    private string CallService(SharedService service) =>
        service.TryCall(Payload(1), out byte[]? answer, Ms(3)) ? SayBytes(answer) : Waited(false);

    private string ReceiveAnswer(SharedService service, TimeSpan timeout)
    {
        if (!service.TryReceiveAnswer(Numbered(1), out byte[]? answer, out MessageInfo info, timeout))
            return Waited(false);
        SayInfo(info);
        return SayBytes(answer);
    }

    private string TakeAnswer(SharedService service)
    {
        if (!service.TryTakeAnswer(Numbered(1), out ServiceAnswer answer, Ms(2)))
            return Waited(false);
        Say("sequence", answer.Sequence);
        Say("deliveries", answer.Deliveries);
        Say("redelivered", answer.Deliveries > 1 ? 1 : 0);
        Say("last", answer.IsLast ? 1 : 0);
        SayBytes(answer.Bytes);
        return Name(handle, answer.Parts);
    }

    private ServiceAnswer Answered(SharedService service) =>
        messages[arguments[1]].What is (Native.Message content, int number) ? new(service, content, number) : throw Cannot();

    private string Answer(ServiceRequest request) => arguments[3] switch
    {
        "more" => Waited(request.TryAnswerPart(Payload(2), Ms(4))),
        "last" when Number(4) == -1 => Done(() => request.Answer(Payload(2))),
        "last" => Waited(request.TryAnswer(Payload(2), Ms(4))),
        _ => throw Cannot(),
    };

    private string ReserveAnswer(ServiceRequest request)
    {
        if (!request.TryReserveAnswer(Int(2), out Span<byte> bytes, Ms(3)))
            return Waited(false);
        slots[arguments[1]] = ((nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes)), bytes.Length, 0);
        return "MMF_OK";
    }

    private string CommitAnswer(ServiceRequest request)
    {
        byte[] answer = Payload(2);
        bool isLast = Choose(arguments[3], ["last", "more"]) switch { 0 => true, 1 => false, _ => throw Cannot() };

        if (slots.TryGetValue(arguments[1], out var slot))
            Write(answer, new Span<byte>((byte*)slot.Bytes, slot.Length));
        request.CommitAnswer(answer.Length, isLast);
        slots.TryRemove(arguments[1], out _);
        return "MMF_OK";
    }

    private string Return(ServiceRequest request)
    {
        request.Return();
        slots.TryRemove(arguments[1], out _);
        return "MMF_OK";
    }
}
