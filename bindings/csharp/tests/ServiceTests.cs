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
            Assert.True(service.TryReceiveAnswer(call, out byte[]? answer, out MessageInfo info));
            Assert.Equal((1, false), (answer![0], info.IsLast));
            request.Answer([3]);
            InvalidOperationException over = Check.Throws<InvalidOperationException>(() => request.Answer([4]));
            Assert.Contains("was answered", over.Message, StringComparison.Ordinal);
            Check.Throws<InvalidOperationException>(() => request.Bytes.ToArray());
            Assert.True(service.TryReceiveAnswer(call, out answer, out info));
            Assert.Equal((2, false), (answer![0], info.IsLast));
            Assert.True(service.TryReceiveAnswer(0, out answer, out info));
            Assert.Equal((3, true), (answer![0], info.IsLast));
        }
        Fails<InvalidOperationException>("MMF_E_STATE", "", () => service.TryReceiveAnswer(call, out _, out _));
    }

    // Requests and answers in place; an answer to any call says to which.
    [Fact]
    public void Nothing_is_copied()
    {
        string name = NewName();
        using SharedService client = New(name);
        using SharedService server = SharedService.OpenExisting(name);
        ulong first, second;
        using (Reservation slot = client.Reserve(8))
        {
            slot.As<long>() = 20;
            first = slot.Commit();
        }
        using (client.Reserve(1))
        {
            // Abandoned.
        }
        Assert.True(client.TryReserve(64, out Reservation other));
        other.Bytes[0] = 7;
        second = other.Commit(1);
        using (ServiceRequest request = server.Take())
        {
            Assert.Equal((first, 20L), (request.Sequence, request.As<long>()));
            Assert.True(request.TryReserveAnswer(8, out Span<byte> bytes, Deadline));
            BitConverter.TryWriteBytes(bytes, 21L);
            request.CommitAnswer(8, false);
            request.Answer(22L);
        }
        using (ServiceRequest request = server.Take())
        {
            Assert.Equal((second, 1), (request.Sequence, request.Bytes.Length));
            Assert.True(request.TryAnswer(request.Bytes, TimeSpan.Zero));
        }
        Assert.False(server.TryTake(out _));
        using (ServiceAnswer answer = client.TakeAnswer(first))
        {
            Assert.Equal((first, 21L, false, 1), (answer.Sequence, answer.As<long>(), answer.IsLast, answer.Deliveries));
            Fails<InvalidOperationException>("MMF_E_STATE", "", () => client.TryTakeAnswer(first, out _));
            using ServiceAnswer beside = client.TakeAnswer(0); // to the other call
            Assert.Equal((second, 7, true), (beside.Sequence, (int)beside.Bytes[0], beside.IsLast));
        }
        Assert.True(client.TryReceiveAnswer(0, out byte[]? last, out MessageInfo info));
        Assert.Equal((22L, 8, first, true), (BitConverter.ToInt64(last), info.Length, info.Sequence, info.IsLast));
        Check.Throws<InvalidOperationException>(() => client.TakeAnswer(0)); // no call is open
    }

    // One that was released does not release the next to the same call.
    [Fact]
    public void An_old_answer_does_not_release_a_new_one()
    {
        using SharedService service = New(NewName());
        ulong call = service.Send("count"u8);
        using ServiceRequest request = service.Take();
        Assert.True(request.TryAnswerPart("one"u8, Deadline));
        Assert.True(request.TryAnswerPart("two"u8, Deadline));
        Assert.False(request.TryAnswer("late"u8, TimeSpan.Zero)); // two wait
        Assert.False(request.TryReserveAnswer(4, out Span<byte> none, TimeSpan.Zero));
        Assert.Equal(0, none.Length);
        ServiceAnswer old = service.TakeAnswer(call);
        old.Release();
        using ServiceAnswer current = service.TakeAnswer(call);
        old.Dispose();
        InvalidOperationException? over = null;
        try
        {
            old.Release();
        }
        catch (InvalidOperationException exception)
        {
            over = exception;
        }
        Assert.Contains("does not have the answer", over!.Message, StringComparison.Ordinal);
        Fails<InvalidOperationException>("MMF_E_STATE", "", () => service.TryTakeAnswer(call, out _)); // it is taken yet
        Assert.Equal("two", Text(current.Bytes));
        Assert.True(request.TryAnswer("three"u8, Deadline));
        default(ServiceAnswer).Dispose();
        Assert.Equal(0, default(ServiceAnswer).Bytes.Length);
    }

    [Fact]
    public void An_answer_outlives_dispose()
    {
        string name = NewName();
        SharedService client = New(name);
        using (SharedService server = SharedService.OpenExisting(name))
        {
            client.Send("question"u8);
            using ServiceRequest request = server.Take();
            request.Answer("still here"u8);
        }
        ServiceAnswer answer = client.TakeAnswer(0);
        client.Dispose();
        Assert.NotEqual(0, Namespace.FilesNamed(name));
        Assert.Equal("still here", Text(answer.Bytes));
        answer.Dispose();
        Assert.Equal(0, Namespace.FilesNamed(name));
        bool isRefused = false;
        try
        {
            _ = answer.Bytes;
        }
        catch (ObjectDisposedException)
        {
            isRefused = true;
        }
        Assert.True(isRefused);
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
        Fails<IOException>("MMF_E_TOO_MANY", "1", () => service.TryReserve(1, out _));
        Assert.Equal((32L, 1, 2), (service.GetStatistics().AnswerSize, service.GetStatistics().MaxCalls,
                                   SharedChannel.GetStatistics(name).MaxAnswers));
        using (ServiceRequest request = service.Take())
        {
            Fails<ArgumentOutOfRangeException>("MMF_E_RANGE", "32", () => request.Answer(new byte[33]));
            Fails<ArgumentOutOfRangeException>("MMF_E_RANGE", "32", () => request.ReserveAnswer(33));
            Fails<InvalidOperationException>("MMF_E_STATE", "", () => request.CommitAnswer(1));
            request.Answer("x"u8);
        }
        using SharedService client = SharedService.OpenExisting(name, new ServiceOptions { Roles = ChannelRoles.Send });
        Fails<NotSupportedException>("MMF_E_NOT_SUPPORTED", "", () => client.TryTake(out _));
        using (SharedService server = SharedService.OpenExisting(name, new ServiceOptions { Roles = ChannelRoles.Receive }))
        {
            Fails<NotSupportedException>("MMF_E_NOT_SUPPORTED", "", () => server.Reserve(1));
            Fails<NotSupportedException>("MMF_E_NOT_SUPPORTED", "", () => server.TakeAnswer(0));
        }
        NotSupportedException sources = Check.Throws<NotSupportedException>(() =>
        {
            using Reservation slot = client.Reserve(1);
            slot.CommitFrom(1, 1);
        });
        Assert.Contains("A SharedService has no sources", sources.Message, StringComparison.Ordinal);
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
