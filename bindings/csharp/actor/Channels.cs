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
    private const int ShownLength = 64, Beyond = 64, LongMilliseconds = 20000;
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

    // By name: a Native.Message or a ServiceRequest that was taken, or the number of a call or a version. What
    // was taken last of a topic or a latest value has the channel's name, too.
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
            return Browse(SharedQueue.Browse(Program.Decode(arguments[0])!, (int)Number(1)));
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
        ("send", SharedLatest one) => Roomy(one, one.TrySend(Payload(1))),
        ("send", MessageChannel one) when Number(2) == -1 => Sent(one.Send(Payload(1))),
        ("send", MessageChannel one) => Roomy(one, one.TrySend(Payload(1), Ms(2))),
        ("send_many", SharedQueue one) => SentMany(one, one.SendMany<byte>(Letters(), Ms(arguments.Length - 1))),
        ("send_many", SharedTopic one) => SentMany(one, one.SendMany<byte>(Letters(), Ms(arguments.Length - 1))),
        ("reserve", MessageChannel one) => Reserve(one),
        ("commit", MessageChannel one) => Commit(Reserved(one), null),
        ("commit_from", MessageChannel one) => Commit(Reserved(one), (ulong)Number(2)),
        ("abandon", MessageChannel one) => Abandon(Reserved(one)),
        ("drain", SharedQueue one) => Waited(one.TryDrain(Ms(1))),
        ("applied", SharedQueue one) => Say("position", (long)one.Applied((ulong)Number(1))),
        ("take", SharedService one) => Take(one),
        ("take", MessageChannel one) => Take(one),
        ("again", MessageChannel one) => SayBytes(Taken(one, 0).Bytes),
        ("receive", MessageChannel one) => Receive(one),
        ("receive_many", SharedQueue one) => ReceiveMany(one),
        ("release", SharedQueue one) => Released(Taken(one, 1).Release()),
        ("release", MessageChannel one) => Released(Taken(one, 0).Release()),
        ("return", SharedQueue one) => Done(() => Taken(one, 1).Return()),
        ("return", SharedService) => Return(Request),
        ("wait_newer", SharedLatest one) => Waited(one.WaitForNewer(Numbered(1), Ms(2))),
        ("call", SharedService one) when Number(2) >= one.AnswerSize => CallService(one),
        ("receive_answer", SharedService one) when Number(2) >= one.AnswerSize => ReceiveAnswer(one, Ms(3)),
        // One that is found is released, too: here no answer is read in place.
        ("take_answer", SharedService one) => ReceiveAnswer(one, Ms(2)) == "MMF_OK" ? throw Cannot() : Waited(false),
        ("cancel", SharedService one) => Done(() => one.Cancel(Numbered(1))),
        ("is_wanted", SharedService) => Say("value", Request.IsWanted ? 1 : 0),
        ("answer", SharedService) => Answer(Request),
        ("reserve_answer", SharedService) when IsEndless(3) => ReserveAnswer(Request),
        ("commit_answer", SharedService) => CommitAnswer(Request),
        ("stat", _) => Count(channel.GetStatistics(), channel as SharedService),
        ("wait_one" or "wait_any", _) => WaitFor(arguments[..^1].Select((_, i) => Get<object>(i)).ToArray()),
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

    private ChannelOptions? OptionsOfChannel() => !HasOptions ? null : new()
    {
        Roles = (ChannelRoles)Choose(Option("role") ?? "both", roles),
        Strategy = (ChannelStrategy)Choose(Option("strategy") ?? "0", strategies),
        SingleProducerSingleConsumer = HasFlag(1, "spsc"),
        EndWithLastPeer = HasFlag(2, "peer_closed"),
        SingleProducer = HasFlag(4, "single"),
        MaxSenders = Value("max_senders"),
        MaxReceivers = Value("max_receivers"),
        MaxPins = Value("max_pins"),
        Replay = Value("replay"),
        AllUsers = Value("all_users") != 0,
        UnixCreateMode = (UnixFileMode)Value("mode", 8),
        WaitForName = TimeSpan.FromMilliseconds(Value("wait_ms")),
    };

    private ServiceOptions? OptionsOfService() => !HasOptions ? null : HasFlag(1, "spsc") ? throw Cannot() : new()
    {
        Roles = (ChannelRoles)Choose(Option("role") ?? "both", parts),
        Strategy = (ChannelStrategy)Choose(Option("strategy") ?? "0", strategies),
        EndWithLastPeer = HasFlag(2, "peer_closed"),
        MaxClients = Value("max_clients"),
        MaxServers = Value("max_servers"),
        MaxCalls = Value("max_calls"),
        MaxAnswers = Value("max_answers"),
        AllUsers = Value("all_users") != 0,
        UnixCreateMode = (UnixFileMode)Value("mode", 8),
        WaitForName = TimeSpan.FromMilliseconds(Value("wait_ms")),
    };

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

    // What has no end may be called where there is room, or will be.
    private bool IsEndless(int i) => Number(i) is -1 or 0 or LongMilliseconds;

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

    // SendMany is for values of one type: here bytes.
    private byte[] Letters() =>
        arguments[1..^1].Select(word => word.Length == 1 ? (byte)word[0] : throw Cannot()).ToArray();

    private ServiceRequest Request => messages[arguments[1]].What as ServiceRequest ?? throw Cannot();

    private Message Taken(MessageChannel channel, int i) =>
        messages[arguments[i]].What is Native.Message content ? new Message(channel, content) : throw Cannot();

    private Reservation Reserved(MessageChannel channel)
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
        string filled = text.Length > 0 && text.All(c => c == text[0]) ? $"{text[0]}*{text.Length}" : text;

        Say("bytes", Program.Encode(text.Length > ShownLength ? filled : text));
        Say("filled", Program.Encode(filled));
        foreach (string key in new[] { "sequence", "lost", "deliveries", "redelivered", "last", "sent_as" })
            outputs.TryAdd(key, "?");
        return Say("length", bytes.Length);
    }

    // messageSize: message_size
    private static string Snake(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) && i > 0 ? "_" + c : $"{c}")).ToLowerInvariant();

    private string Count(ChannelStatistics counted, SharedService? service)
    {
        foreach (string key in new[] { "answer_size", "flags", "max_calls", "max_answers" })
            Say(key, "?");
        if (service != null)
            Say("answer_size", service.AnswerSize);
        foreach (PropertyInfo property in typeof(ChannelStatistics).GetProperties())
            Say(Snake(property.Name), Snake($"{property.GetValue(counted)}"));
        return "MMF_OK";
    }

    private string Browse(QueueItem[] items)
    {
        Say("count", items.Length);
        Say("sequences", string.Join(',', items.Select(item => item.Sequence)));
        return Say("items", string.Join(',', items.Select(
            item => $"{Snake($"{item.State}")}/{item.Deliveries}/{item.Length}" +
                    (item.ProcessId == 0 ? "" : item.ProcessId != Environment.ProcessId ? "/elsewhere"
                        : item.Age != null ? "/held" : "/here"))));
    }

    private string WaitFor(object[] several)
    {
        if (!several.All(one => one is SharedChannel) || several.Distinct().Count() != several.Length ||
            Number(several.Length) < Timeout.Infinite)
            throw Cannot();
        using var over = new CancellationTokenSource();
        Task[] waits = several.Select(one => ((SharedChannel)one).WaitToReceiveAsync(over.Token)).ToArray();
        int ms = Int(several.Length), index;
        var waited = Stopwatch.StartNew();

        do // a wait for tasks may end some milliseconds too early
            index = Task.WaitAny(waits, ms);
        while (index < 0 && waited.ElapsedMilliseconds < ms);
        over.Cancel();
        Task.WhenAll(waits).ContinueWith(_ => { }, TaskScheduler.Default).Wait();
        if (index < 0)
            return Waited(false);
        waits[index].GetAwaiter().GetResult();
        return Say("index", index);
    }

    //
    // Sending.
    //

    private string Sent(ulong number)
    {
        Name(handle, number);
        return Say("sequence", number);
    }

    // What tries does not say why it has not done it, and no number.
    private string Roomy(MessageChannel channel, bool isDone)
    {
        if (!isDone && channel.GetStatistics().Overflow == ChannelOverflow.Fail && Option("again") == null)
            throw new IOException("full") { Data = { ["mmf.status"] = "MMF_E_FULL" } };
        Say("sequence", "?");
        return isDone ? Name(handle, null) : Waited(false);
    }

    private string SentMany(MessageChannel channel, int sent)
    {
        string status = Roomy(channel, sent > 0 || arguments.Length == 2);

        return status == "MMF_OK" ? Say("sent", sent) : status;
    }

    private string Reserve(MessageChannel channel)
    {
        Reservation reserved;

        if (Number(2) == -1)
            reserved = channel.Reserve(Int(1));
        else if (!channel.TryReserve(Int(1), out reserved, channel is SharedLatest ? default : Ms(2)))
            return Roomy(channel, false);
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
        bool isThere = channel.TryReceive(buffer.AsSpan(0, capacity), out int length,
                                          channel is SharedLatest ? default : Ms(2));
        if (buffer.AsSpan(isThere ? length : 0).ContainsAnyExcept(Unwritten))
            throw new InvalidDataException("Bytes were written behind the message.");
        if (!isThere && channel is not SharedLatest)
            return Waited(false);
        if (!isThere)
            Say("sequence", 0); // of a latest value, before the first one
        SayBytes(buffer.AsSpan(0, length));
        return Name(handle, isThere ? null : 0UL);
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
        Say("deliveries", request.Deliveries);
        SayBytes(request.Bytes);
        slots.TryRemove(handle ?? "", out _); // of another request of that name
        return Name(handle, request);
    }

    private string CallService(SharedService service) =>
        service.TryCall(Payload(1), out byte[]? answer, Ms(3)) ? SayBytes(answer) : Waited(false);

    private string ReceiveAnswer(SharedService service, TimeSpan timeout)
    {
        if (!service.TryReceiveAnswer(Numbered(1), out byte[]? answer, out bool isLast, timeout))
            return Waited(false);
        Say("last", isLast ? 1 : 0);
        return SayBytes(answer);
    }

    private string Answer(ServiceRequest request) => arguments[3] switch
    {
        "more" => Waited(request.TryAnswerPart(Payload(2), Ms(4))),
        "last" when IsEndless(4) => Done(() => request.Answer(Payload(2))),
        _ => throw Cannot(),
    };

    private string ReserveAnswer(ServiceRequest request)
    {
        Span<byte> bytes = request.ReserveAnswer(Int(2));

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
