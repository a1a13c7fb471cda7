// The peer's commands about channels; bindings/interop/peer.c says what they are.
using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Mmf.Channels;

internal static partial class Peer
{
    private const int Size = 64, Capacity = 8;
    private static readonly TimeSpan sendTime = TimeSpan.FromSeconds(20);
    private static readonly Dictionary<string, MessageChannel> channels = [];
    private static SharedService? service;
    private static ServiceRequest? held;

    private static TimeSpan Milliseconds(string text) => TimeSpan.FromMilliseconds(int.Parse(text));

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    static partial void DoChannel(string[] words, ref string? answer) => answer = words[0] switch
    {
        "queue" or "topic" or "latest" => Open(words[0], words[1]),
        "send" => channels[words[1]].TrySend(Bytes(words[2]), sendTime) ? "ok" : "timed-out",
        "receive" => Receive(channels[words[1]], Milliseconds(words[2])),
        "take" => Take(channels[words[1]], Milliseconds(words[2])),
        "service" => OpenService(words[1]),
        "ask" => Ask(Bytes(words[1])),
        "answer" => Answer(Milliseconds(words[1])),
        "serve" => Serve(Milliseconds(words[1]), answers: true),
        "hold" => Serve(Milliseconds(words[1]), answers: false),
        "close" when channels.Remove(words[1], out MessageChannel? channel) => Close(channel),
        _ => answer,
    };

    private static string Open(string kind, string name)
    {
        bool createdNew;

        channels[kind] = kind switch
        {
            "queue" => SharedQueue.CreateOrOpen(name, Size, Capacity, ChannelOverflow.Block, null, out createdNew),
            "topic" => SharedTopic.CreateOrOpen(name, Size, Capacity, ChannelOverflow.DropOldest, null, out createdNew),
            _ => SharedLatest.CreateOrOpen(name, Size, null, out createdNew),
        };
        return Created(createdNew);
    }

    private static string Close(MessageChannel channel)
    {
        channel.Dispose();
        return "ok";
    }

    private static string Receive(MessageChannel channel, TimeSpan timeout)
    {
        if (!channel.TryTake(out Message message, timeout))
            return "timed-out";
        using (message)
            return (message.IsRedelivered ? "again " : "ok ") + Text(message.Bytes);
    }

    // It stays taken.
    private static string Take(MessageChannel channel, TimeSpan timeout) =>
        channel.TryTake(out Message message, timeout) ? "ok " + Text(message.Bytes) : "timed-out";

    private static string OpenService(string name)
    {
        service = SharedService.CreateOrOpen(name, Size, Size, Capacity, null, out bool createdNew);
        return Created(createdNew);
    }

    private static string Ask(byte[] bytes)
    {
        service!.Send(bytes);
        return "ok";
    }

    private static string Answer(TimeSpan timeout)
    {
        if (!service!.TryReceiveAnswer(0, out byte[]? answer, out MessageInfo info, timeout))
            return "timed-out";
        return (info.IsLast ? "last " : "more ") + Text(answer);
    }

    // An answer for each byte; or none, and the request stays taken.
    private static string Serve(TimeSpan timeout, bool answers)
    {
        if (!service!.TryTake(out ServiceRequest? request, timeout))
            return "timed-out";
        held = request;
        ReadOnlySpan<byte> bytes = request.Bytes;
        string answer = (request.Deliveries > 1 ? "again " : "ok ") + Text(bytes);
        byte[] parts = bytes.ToArray();
        for (int i = 0; answers && i < parts.Length; i++)
        {
            try
            {
                if (i + 1 < parts.Length)
                    request.TryAnswerPart([parts[i]], sendTime);
                else
                    request.Answer([parts[i]]);
            }
            catch (EndOfStreamException)
            {
                // The client has died; the others go on.
            }
        }
        return answer;
    }
}
