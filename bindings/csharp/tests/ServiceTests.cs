// Requests and answers within one process.
using System;
using System.IO;
using System.Threading;
using Mmf.Channels;
using Xunit;
using static Mmf.Tests.ChannelTests;

namespace Mmf.Tests;

public class ServiceTests
{
    private static SharedService New(string name, ServiceOptions? options = null) =>
        SharedService.CreateOrOpen(name, 64, 32, 8, options);

    // A server in a thread of its own, for so many requests.
    private static Thread Serve(string name, int count, Action<ServiceRequest> handle)
    {
        SharedService server = SharedService.OpenExisting(name, new ServiceOptions { Roles = ChannelRoles.Receive });
        var thread = new Thread(() =>
        {
            using (server)
            {
                for (int i = 0; i < count; i++)
                {
                    using ServiceRequest request = server.Take();
                    handle(request);
                }
            }
        });
        thread.Start();
        return thread;
    }

    [Fact]
    public void Calls()
    {
        string name = NewName();
        using SharedService client = SharedService.CreateOrOpen(name, 64, 32, 8, null, out bool createdNew);
        Assert.True(createdNew);
        Assert.Equal((64, 32), (client.MessageSize, client.AnswerSize));
        Thread server = Serve(name, 4, request =>
        {
            Assert.Equal(1, request.Deliveries);
            Assert.True(request.IsWanted);
            if (request.Bytes.Length == sizeof(int))
                request.Answer(2L * request.As<int>());
            else
                request.Answer(request.Bytes);
        });
        Assert.Equal("hello", Text(client.Call("hello"u8)));
        Assert.Equal(42L, client.Call<int, long>(21));
        Assert.True(client.TryCall(5, out long answer, Deadline));
        Assert.Equal(10, answer);
        Assert.True(client.TryCall([], out byte[]? empty, Deadline));
        Assert.Empty(empty);
        Assert.True(server.Join(Deadline));
    }

    [Fact]
    public void Several_answers_without_a_copy()
    {
        using SharedService service = New(NewName());
        ulong call = service.Send("count"u8);
        using (ServiceRequest request = service.Take())
        {
            request.ReserveAnswer(8)[0] = 1;
            request.CommitAnswer(1, false);
            Assert.True(request.TryAnswerPart([2], Deadline));
            Assert.False(request.TryAnswerPart([3], TimeSpan.Zero)); // two may wait
            Assert.True(service.TryReceiveAnswer(call, out byte[]? answer, out bool isLast));
            Assert.Equal((1, false), (answer![0], isLast));
            request.Answer([3]);
            InvalidOperationException over = Check.Throws<InvalidOperationException>(() => request.Answer([4]));
            Assert.Contains("was answered", over.Message, StringComparison.Ordinal);
            Check.Throws<InvalidOperationException>(() => request.Bytes.ToArray());
            Assert.True(service.TryReceiveAnswer(call, out answer, out isLast));
            Assert.Equal((2, false), (answer![0], isLast));
            Assert.True(service.TryReceiveAnswer(0, out answer, out isLast));
            Assert.Equal((3, true), (answer![0], isLast));
        }
        Fails<InvalidOperationException>("MMF_E_STATE", "", () => service.TryReceiveAnswer(call, out _, out _));
    }

    [Fact]
    public void A_handler_that_throws_does_not_lose_the_request()
    {
        using SharedService service = New(NewName());
        ulong call = service.Send("hard"u8);
        Check.Throws<InvalidDataException>(() =>
        {
            using ServiceRequest request = service.Take();
            throw new InvalidDataException("not today");
        });
        using (ServiceRequest request = service.Take())
        {
            Assert.Equal(2, request.Deliveries);
            request.Answer("done"u8);
        }
        Assert.True(service.TryReceiveAnswer(call, out byte[]? answer, out _));
        Assert.Equal("done", Text(answer));
    }

    [Fact]
    public void Calls_that_are_given_up()
    {
        using SharedService service = New(NewName());
        Assert.False(service.TryCall("x"u8, out byte[]? none, TimeSpan.FromMilliseconds(1)));
        Assert.Null(none);
        Assert.False(service.TryTake(out _)); // the request was taken back
        ulong call = service.Send("y"u8);
        using ServiceRequest request = service.Take();
        service.Cancel(call);
        Assert.False(request.IsWanted);
        request.Answer("unread"u8);
        Fails<InvalidOperationException>("MMF_E_STATE", "", () => service.Cancel(call));
    }

    [Fact]
    public void What_is_refused()
    {
        string name = NewName();
        using SharedService service = New(name, new ServiceOptions { MaxCalls = 1 });
        Fails<ArgumentOutOfRangeException>("MMF_E_RANGE", "64", () => service.Send(new byte[65]));
        service.Send("one"u8);
        Fails<IOException>("MMF_E_TOO_MANY", "1", () => service.Send("two"u8));
        using (ServiceRequest request = service.Take())
        {
            Fails<ArgumentOutOfRangeException>("MMF_E_RANGE", "32", () => request.Answer(new byte[33]));
            Fails<ArgumentOutOfRangeException>("MMF_E_RANGE", "32", () => request.ReserveAnswer(33));
            Fails<InvalidOperationException>("MMF_E_STATE", "", () => request.CommitAnswer(1));
            request.Answer("x"u8);
        }
        using SharedService client = SharedService.OpenExisting(name, new ServiceOptions { Roles = ChannelRoles.Send });
        Fails<NotSupportedException>("MMF_E_NOT_SUPPORTED", "", () => client.TryTake(out _));
        Fails<IOException>("MMF_E_MISMATCH", "8", () => SharedService.CreateOrOpen(name, 8, 32, 8));
        Fails<IOException>("MMF_E_EXISTS", name, () => SharedService.CreateNew(name, 8, 32, 8));
        Fails<IOException>("MMF_E_WRONG_KIND", name, () => SharedQueue.OpenExisting(name));
        Assert.True(SharedService.TryOpenExisting(name, out SharedService? opened));
        opened!.Dispose();
        Assert.False(SharedService.TryOpenExisting(name + "none", out _));
    }

    // What is read in place is not unmapped under the reader.
    [Fact]
    public void A_request_outlives_dispose()
    {
        string name = NewName();
        using SharedService client = New(name);
        SharedService server = SharedService.OpenExisting(name);
        ulong call = client.Send("still here"u8);
        ServiceRequest request = server.Take();
        server.Dispose();
        Assert.Equal("still here", Text(request.Bytes));
        request.Answer("yes"u8);
        Assert.True(client.TryReceiveAnswer(call, out byte[]? answer, out _));
        Assert.Equal("yes", Text(answer));
        Assert.Equal(1, client.GetStatistics().Receivers);
    }
}
