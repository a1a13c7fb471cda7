using System;
using System.Buffers;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;

namespace Mmf.Channels;

/// <summary>
/// Requests and answers between processes: clients call, servers answer. Each request goes to one server; if
/// that one dies or closes before its last answer, another one gets the request, with
/// <see cref="ServiceRequest.Deliveries"/> raised.
/// </summary>
public sealed unsafe partial class SharedService : SharedChannel
{
    private readonly List<int> taken = []; // the numbers of the answers that are
    private int lastTaken;

    private SharedService(nint service)
        : base(new ChannelHandle(nameof(SharedService), service, &Native.mmf_service_close))
    {
    }

    /// <summary>The most bytes of an answer.</summary>
    public int AnswerSize => (int)AtOpening.AnswerSize;

    /// <summary>Creates a service.</summary>
    /// <param name="name">Its name; with Global\ other users find it, too.</param>
    /// <param name="requestSize">The most bytes of a request.</param>
    /// <param name="answerSize">The most bytes of an answer.</param>
    /// <param name="capacity">Requests that wait or are in flight, rounded up to a power of two.</param>
    /// <param name="options">Settings; null means all defaults.</param>
    /// <returns>The service.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="ArgumentException">An empty name; options that contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size or a limit out of its range.</exception>
    /// <exception cref="IOException">The name is taken (HResult 183), or is another kind's; no space.</exception>
    /// <exception cref="UnauthorizedAccessException">The names' directory is not this user's.</exception>
    public static SharedService CreateNew(string name, int requestSize, int answerSize, int capacity,
                                          ServiceOptions? options = null)
    {
        Native.ServiceOptions settings = ServiceOptions.Of(options);
        nint service;

        Check(Native.mmf_service_create_new(name, Size(requestSize), Size(answerSize), Size(capacity), &settings,
                                            &service));
        return new SharedService(service);
    }

    /// <summary>Opens the service of that name, or creates it.</summary>
    /// <param name="name">Its name; with Global\ other users find it, too.</param>
    /// <param name="requestSize">The most bytes of a request.</param>
    /// <param name="answerSize">The most bytes of an answer.</param>
    /// <param name="capacity">Requests that wait or are in flight, rounded up to a power of two.</param>
    /// <param name="options">Settings; null means all defaults.</param>
    /// <returns>The service.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="ArgumentException">An empty name; options that contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size or a limit out of its range.</exception>
    /// <exception cref="IOException">It has other sizes or limits; the name is another kind's; no space; as
    /// many participants as its creator allowed.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static SharedService CreateOrOpen(string name, int requestSize, int answerSize, int capacity,
                                             ServiceOptions? options = null) =>
        CreateOrOpen(name, requestSize, answerSize, capacity, options, out _);

    /// <summary>The same, and says which it was.</summary>
    /// <param name="name">Its name; with Global\ other users find it, too.</param>
    /// <param name="requestSize">The most bytes of a request.</param>
    /// <param name="answerSize">The most bytes of an answer.</param>
    /// <param name="capacity">Requests that wait or are in flight, rounded up to a power of two.</param>
    /// <param name="options">Settings; null means all defaults.</param>
    /// <param name="createdNew">Whether this call created it.</param>
    /// <returns>The service.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="ArgumentException">An empty name; options that contradict each other.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size or a limit out of its range.</exception>
    /// <exception cref="IOException">It has other sizes or limits; the name is another kind's; no space; as
    /// many participants as its creator allowed.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static SharedService CreateOrOpen(string name, int requestSize, int answerSize, int capacity,
                                             ServiceOptions? options, out bool createdNew)
    {
        Native.ServiceOptions settings = ServiceOptions.Of(options);
        int created;
        nint service;

        Check(Native.mmf_service_create_or_open(name, Size(requestSize), Size(answerSize), Size(capacity), &settings,
                                                &created, &service));
        createdNew = created != 0;
        return new SharedService(service);
    }

    /// <summary>Opens the service of that name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="options">Settings of this handle; null means all defaults.</param>
    /// <returns>The service.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="FileNotFoundException">There is no service of that name, also after WaitForName.</exception>
    /// <exception cref="IOException">The name is another kind's; as many participants as its creator allowed.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static SharedService OpenExisting(string name, ServiceOptions? options = null)
    {
        Native.ServiceOptions settings = ServiceOptions.Of(options);
        nint service;

        Check(Native.mmf_service_open_existing(name, &settings, &service));
        return new SharedService(service);
    }

    /// <summary>Opens the service of that name, if there is one.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="service">The service.</param>
    /// <param name="options">Settings of this handle; null means all defaults.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="IOException">The name is another kind's; as many participants as its creator allowed.</exception>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static bool TryOpenExisting(string name, [NotNullWhen(true)] out SharedService? service,
                                       ServiceOptions? options = null)
    {
        Native.ServiceOptions settings = ServiceOptions.Of(options);
        nint opened;
        int rc = Native.mmf_service_open_existing(name, &settings, &opened);

        service = IsThere(rc) ? new SharedService(opened) : null;
        return service != null;
    }

    //
    // Client.
    //

    /// <summary>Sends a request, and waits for its answer.</summary>
    /// <param name="request">Up to MessageSize bytes.</param>
    /// <returns>The answer; if several come, the first one.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More than MessageSize bytes.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last server is gone.</exception>
    /// <exception cref="IOException">As many calls are open as the creator allowed.</exception>
    /// <exception cref="NotSupportedException">The handle does not call.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public byte[] Call(ReadOnlySpan<byte> request)
    {
        TryCall(request, out byte[]? answer, Timeout.InfiniteTimeSpan);
        return answer!;
    }

    /// <summary>Sends a request, and waits for its answer.</summary>
    /// <typeparam name="TRequest">A struct without references: its bytes are the request.</typeparam>
    /// <typeparam name="TAnswer">The server's type: a struct without references.</typeparam>
    /// <param name="request">The request.</param>
    /// <returns>The answer; if several come, the first one.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The request has more than MessageSize bytes; the answer has more
    /// than the type, and is lost.</exception>
    /// <exception cref="InvalidDataException">The answer has fewer bytes than the type.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last server is gone.</exception>
    /// <exception cref="IOException">As many calls are open as the creator allowed.</exception>
    /// <exception cref="NotSupportedException">The handle does not call.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public TAnswer Call<TRequest, TAnswer>(in TRequest request) where TRequest : unmanaged where TAnswer : unmanaged
    {
        TryCall(request, out TAnswer answer, Timeout.InfiniteTimeSpan);
        return answer;
    }

    /// <summary>Sends a request, and waits for its answer for some time; then the call is cancelled.</summary>
    /// <param name="request">Up to MessageSize bytes.</param>
    /// <param name="answer">The answer; if several come, the first one.</param>
    /// <param name="timeout">How long.</param>
    /// <returns>Whether there was an answer in time.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More than MessageSize bytes, or an invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last server is gone.</exception>
    /// <exception cref="IOException">As many calls are open as the creator allowed.</exception>
    /// <exception cref="NotSupportedException">The handle does not call.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TryCall(ReadOnlySpan<byte> request, [NotNullWhen(true)] out byte[]? answer, TimeSpan timeout)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Math.Max(AnswerSize, 1));

        try
        {
            fixed (byte* bytes = request)
            fixed (byte* first = buffer)
            {
                bool found = Call(bytes, request.Length, first, AnswerSize, timeout, out int length);
                answer = found ? buffer.AsSpan(0, length).ToArray() : null;
                return found;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Sends a request, and waits for its answer for some time; then the call is cancelled.</summary>
    /// <typeparam name="TRequest">A struct without references: its bytes are the request.</typeparam>
    /// <typeparam name="TAnswer">The server's type: a struct without references.</typeparam>
    /// <param name="request">The request.</param>
    /// <param name="answer">The answer; if several come, the first one.</param>
    /// <param name="timeout">How long.</param>
    /// <returns>Whether there was an answer in time.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The request has more than MessageSize bytes; the answer has more
    /// than the type, and is lost; an invalid timeout.</exception>
    /// <exception cref="InvalidDataException">The answer has fewer bytes than the type.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last server is gone.</exception>
    /// <exception cref="IOException">As many calls are open as the creator allowed.</exception>
    /// <exception cref="NotSupportedException">The handle does not call.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TryCall<TRequest, TAnswer>(in TRequest request, out TAnswer answer, TimeSpan timeout)
        where TRequest : unmanaged where TAnswer : unmanaged
    {
        answer = default;
        fixed (TRequest* bytes = &request)
        fixed (TAnswer* first = &answer)
        {
            bool found = Call((byte*)bytes, sizeof(TRequest), (byte*)first, sizeof(TAnswer), timeout, out int length);
            if (found)
                Value.CheckLength<TAnswer>(length);
            return found;
        }
    }

    private bool Call(byte* request, int length, byte* buffer, int capacity, TimeSpan timeout, out int answered)
    {
        int milliseconds = SharedChannelOptions.Milliseconds(timeout);
        nuint count = 0;
        byte nothing;
        int rc = Native.mmf_service_call(Handle.Enter(), length != 0 ? request : &nothing, (nuint)length, buffer,
                                         (nuint)capacity, milliseconds, &count);

        Handle.Exit();
        answered = (int)count;
        return Found(rc);
    }

    /// <summary>Sends a request, and waits for its answer without a thread. One call at a time; open a handle
    /// for each of several.</summary>
    /// <param name="request">Up to MessageSize bytes.</param>
    /// <param name="cancellationToken">Gives the call up.</param>
    /// <returns>The answer; if several come, the first one.</returns>
    /// <exception cref="OperationCanceledException">The call was given up.</exception>
    /// <exception cref="ArgumentOutOfRangeException">More than MessageSize bytes.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last server is gone.</exception>
    /// <exception cref="IOException">As many calls are open as the creator allowed.</exception>
    /// <exception cref="NotSupportedException">The handle does not call.</exception>
    /// <exception cref="InvalidOperationException">Another thread, or another wait, uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed, or was during the wait.</exception>
    public Task<byte[]> CallAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken = default) =>
        Asynchronous.CallAsync(this, request, cancellationToken);

    /// <summary>Sends a request without waiting for its answer; several calls may be open.</summary>
    /// <param name="request">Up to MessageSize bytes.</param>
    /// <returns>The call's number, for TryReceiveAnswer and Cancel.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More than MessageSize bytes.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last server is gone.</exception>
    /// <exception cref="IOException">As many calls are open as the creator allowed.</exception>
    /// <exception cref="NotSupportedException">The handle does not call.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public ulong Send(ReadOnlySpan<byte> request)
    {
        TrySend(request, out ulong call, Timeout.InfiniteTimeSpan);
        return call;
    }

    /// <summary>Sends a request without waiting for its answer, if there is space in time.</summary>
    /// <param name="request">Up to MessageSize bytes.</param>
    /// <param name="call">The call's number, for TryReceiveAnswer and Cancel.</param>
    /// <param name="timeout">How long to wait for space.</param>
    /// <returns>Whether it was sent.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More than MessageSize bytes, or an invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: the last server is gone.</exception>
    /// <exception cref="IOException">As many calls are open as the creator allowed.</exception>
    /// <exception cref="NotSupportedException">The handle does not call.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TrySend(ReadOnlySpan<byte> request, out ulong call, TimeSpan timeout = default)
    {
        int milliseconds = SharedChannelOptions.Milliseconds(timeout);
        ulong number = 0;
        byte nothing;

        fixed (byte* bytes = request)
        {
            int rc = Native.mmf_service_send(Handle.Enter(), request.Length != 0 ? bytes : &nothing,
                                             (nuint)request.Length, milliseconds, &number);
            Handle.Exit();
            call = number;
            return Found(rc);
        }
    }

    /// <summary>Copies the next answer to an open call, if there is one in time. With the last one the call ends.</summary>
    /// <param name="call">The call's number; 0 means any open one.</param>
    /// <param name="answer">The answer.</param>
    /// <param name="info">Which call it answers, and whether no other one follows.</param>
    /// <param name="timeout">How long to wait for it.</param>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no answer, and the last server is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not call.</exception>
    /// <exception cref="InvalidOperationException">No such call is open; another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TryReceiveAnswer(ulong call, [NotNullWhen(true)] out byte[]? answer, out MessageInfo info,
                                 TimeSpan timeout = default)
    {
        bool found = TryTakeAnswer(call, out ServiceAnswer received, timeout);

        using (received)
        {
            answer = found ? received.Bytes.ToArray() : null;
            info = received.Info;
            return found;
        }
    }

    /// <summary>Takes the next answer to an open call, to read it in place, and waits for it. With the last one the call
    /// ends.</summary>
    /// <param name="call">The call's number; 0 means any open one.</param>
    /// <returns>The answer: read, dispose.</returns>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no answer, and the last server is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not call.</exception>
    /// <exception cref="InvalidOperationException">No such call is open, or an answer to it is taken; another thread uses
    /// the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public ServiceAnswer TakeAnswer(ulong call)
    {
        TryTakeAnswer(call, out ServiceAnswer answer, Timeout.InfiniteTimeSpan);
        return answer;
    }

    /// <summary>Takes the next answer to an open call, to read it in place, if there is one in time. With the last one the
    /// call ends.</summary>
    /// <param name="call">The call's number; 0 means any open one.</param>
    /// <param name="answer">The answer: read, dispose.</param>
    /// <param name="timeout">How long to wait for it.</param>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no answer, and the last server is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not call.</exception>
    /// <exception cref="InvalidOperationException">No such call is open, or an answer to it is taken; another thread uses
    /// the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TryTakeAnswer(ulong call, out ServiceAnswer answer, TimeSpan timeout = default)
    {
        int milliseconds = SharedChannelOptions.Milliseconds(timeout);
        Native.Message content;
        int rc = Native.mmf_service_take_answer(Handle.Enter(), call, milliseconds, &content);
        bool found = rc == Native.Ok;

        if (found)
            taken.Add(++lastTaken);
        answer = found ? new ServiceAnswer(this, content, lastTaken) : default;
        Handle.Exit(found ? ChannelHandle.OneTaken : 0);
        return Found(rc);
    }

    // False: it was released.
    internal bool ReleaseAnswer(int number, Native.Message content)
    {
        if (!Handle.TryEnterForTaken(out nint native))
            return false;
        bool mine = taken.Remove(number);
        int rc = mine ? Native.mmf_service_release_answer(native, &content) : Native.Ok;
        Handle.Exit(mine ? -ChannelHandle.OneTaken : 0);
        Check(rc);
        return mine;
    }

    /// <summary>Gives a call up: its request is taken back, or its answers are dropped.</summary>
    /// <param name="call">The call's number.</param>
    /// <exception cref="InvalidOperationException">No such call is open; another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public void Cancel(ulong call)
    {
        int rc = Native.mmf_service_cancel(Handle.Enter(), call);

        Handle.Exit();
        Check(rc);
    }

    //
    // Server.
    //

    /// <summary>Takes the next request, and waits for it.</summary>
    /// <returns>The request: read, answer, dispose.</returns>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no request, and the last client is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not answer.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public ServiceRequest Take()
    {
        TryTake(out ServiceRequest? request, Timeout.InfiniteTimeSpan);
        return request!;
    }

    /// <summary>Takes the next request, if there is one in time.</summary>
    /// <param name="request">The request: read, answer, dispose.</param>
    /// <param name="timeout">How long to wait for it.</param>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">With EndWithLastPeer: no request, and the last client is gone.</exception>
    /// <exception cref="NotSupportedException">The handle does not answer.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public bool TryTake([NotNullWhen(true)] out ServiceRequest? request, TimeSpan timeout = default)
    {
        int rc = Take(SharedChannelOptions.Milliseconds(timeout), out request);

        Found(rc);
        return request != null;
    }

    private int Take(int timeout, out ServiceRequest? request)
    {
        Native.Message content;
        int rc = Native.mmf_service_take(Handle.Enter(), timeout, &content);

        Handle.Exit(rc == Native.Ok ? ChannelHandle.OneTaken : 0);
        request = rc == Native.Ok ? new ServiceRequest(this, content) : null;
        return rc;
    }

    /// <summary>All requests as they come. With EndWithLastPeer it ends when the last client is gone.</summary>
    /// <param name="cancellationToken">Ends the loop with OperationCanceledException.</param>
    /// <returns>For `await foreach`: read, answer, dispose each.</returns>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    /// <exception cref="NotSupportedException">The handle does not answer.</exception>
    /// <exception cref="InvalidOperationException">Another thread, or another wait, uses the handle.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed, or was during the wait.</exception>
    public IAsyncEnumerable<ServiceRequest> ReadAllAsync(CancellationToken cancellationToken = default) =>
        Asynchronous.ReadAllAsync(this, cancellationToken);

    private protected override int NativeReserve(nint native, nuint length, int timeout, byte** bytes) =>
        Native.mmf_service_reserve(native, length, timeout, bytes);

    private protected override int NativeCommit(nint native, nuint length, ulong* sequence) =>
        Native.mmf_service_commit(native, length, sequence);

    private protected override int NativeAbandon(nint native) => Native.mmf_service_abandon(native);

    private protected override nint Waitable(nint native) => Native.mmf_service_waitable(native);

    private protected override int Statistics(nint native, Native.ChannelStatistics* counted) =>
        Native.mmf_service_stat(native, counted);
}

// No await where there are pointers.
public sealed partial class SharedService
{
    private static class Asynchronous
    {
        private const int Pause = 1; // milliseconds

        // A handle that is client and server is woken for a request, too, that waits for an answer; then it
        // does not look again at once.
        private static Task WaitAsync(SharedService service, bool hasWaited, CancellationToken cancellationToken) =>
            hasWaited ? Task.Delay(Pause, cancellationToken) : service.WaitToReceiveAsync(cancellationToken);

        internal static async Task<byte[]> CallAsync(SharedService service, ReadOnlyMemory<byte> request,
                                                     CancellationToken cancellationToken)
        {
            ulong call;

            cancellationToken.ThrowIfCancellationRequested();
            while (!service.TrySend(request.Span, out call))
                await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
            byte[]? answer;
            MessageInfo info = default;
            try
            {
                for (bool hasWaited = false; !service.TryReceiveAnswer(call, out answer, out info); hasWaited = !hasWaited)
                    await WaitAsync(service, hasWaited, cancellationToken).ConfigureAwait(false);
                return answer;
            }
            finally
            {
                if (!info.IsLast && !service.Handle.IsDisposed)
                    service.Cancel(call);
            }
        }

        internal static async IAsyncEnumerable<ServiceRequest> ReadAllAsync(
            SharedService service, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            bool hasWaited = false;

            for (;;)
            {
                int rc = service.Take(0, out ServiceRequest? request);
                if (rc == Failure.PeerClosed)
                    yield break;
                if (Found(rc))
                    yield return request!;
                else
                    await WaitAsync(service, hasWaited, cancellationToken).ConfigureAwait(false);
                hasWaited = rc == Native.TimedOut && !hasWaited;
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }
}

/// <summary>An answer, read in place. Dispose releases it; with the last one its call ends.</summary>
public readonly unsafe ref struct ServiceAnswer
{
    private readonly SharedService? service;
    private readonly Native.Message content;
    private readonly int number;

    internal ServiceAnswer(SharedService service, Native.Message content, int number)
    {
        this.service = service;
        this.content = content;
        this.number = number;
    }

    /// <summary>The answer, until it is released.</summary>
    /// <exception cref="ObjectDisposedException">The service is closed, and the answer released.</exception>
    public ReadOnlySpan<byte> Bytes
    {
        get
        {
            service?.Handle.CheckTaken();
            return new ReadOnlySpan<byte>(content.Bytes, (int)content.Length);
        }
    }

    /// <summary>The answer as a value, in place.</summary>
    /// <typeparam name="T">The server's type: a struct without references.</typeparam>
    /// <returns>A reference into the shared memory, until the answer is released.</returns>
    /// <exception cref="InvalidDataException">The answer has another length than the type.</exception>
    public ref readonly T As<T>() where T : unmanaged
    {
        Value.CheckLength<T>(Bytes.Length);
        return ref *(T*)content.Bytes;
    }

    /// <summary>The number of its call.</summary>
    public ulong Sequence => content.Sequence;

    /// <summary>How often its request was given to a server: if it rises, a server has died, and another one begun with
    /// the answers anew.</summary>
    public int Deliveries => (int)content.Deliveries;

    /// <summary>No other one follows to its call.</summary>
    public bool IsLast => (content.Flags & Native.Last) != 0;

    internal MessageInfo Info => new(content);

    /// <summary>Releases the answer before Dispose.</summary>
    /// <exception cref="InvalidOperationException">It is not this handle's any more.</exception>
    public void Release()
    {
        if (service == null || !service.ReleaseAnswer(number, content))
            throw new InvalidOperationException("This handle does not have the answer: it was released.");
    }

    /// <summary>Releases the answer, unless that was done.</summary>
    public void Dispose() => service?.ReleaseAnswer(number, content);

    // What the actor of the scenarios keeps of it from one call to the next.
    internal (Native.Message, int) Parts => (content, number);
}

/// <summary>
/// A request that a server has taken. It is in flight until its last answer; Dispose returns it to another
/// server, unless it was answered, so that a handler that throws does not lose it.
/// </summary>
public sealed unsafe class ServiceRequest : IDisposable
{
    private readonly SharedService service;
    private Native.Message content;
    private bool isOver;

    internal ServiceRequest(SharedService service, in Native.Message content)
    {
        this.service = service;
        this.content = content;
    }

    /// <summary>The request in place, until its last answer.</summary>
    /// <exception cref="InvalidOperationException">It was answered or returned.</exception>
    public ReadOnlySpan<byte> Bytes
    {
        get
        {
            if (isOver)
                throw Over();
            return new ReadOnlySpan<byte>(content.Bytes, (int)content.Length);
        }
    }

    /// <summary>The request as a value, in place.</summary>
    /// <typeparam name="T">The client's type: a struct without references.</typeparam>
    /// <returns>A reference into the shared memory, until its last answer.</returns>
    /// <exception cref="InvalidDataException">The request has another length than the type.</exception>
    /// <exception cref="InvalidOperationException">It was answered or returned.</exception>
    public ref readonly T As<T>() where T : unmanaged
    {
        Value.CheckLength<T>(Bytes.Length);
        return ref *(T*)content.Bytes;
    }

    /// <summary>The call's number, which its client has.</summary>
    public ulong Sequence => content.Sequence;

    /// <summary>How often it was given to a server, this time included.</summary>
    public int Deliveries => (int)content.Deliveries;

    /// <summary>False: its client has died or given the call up, and work for it is in vain.</summary>
    /// <exception cref="InvalidOperationException">It was answered or returned; another thread uses the handle.</exception>
    public bool IsWanted
    {
        get
        {
            int wanted;

            fixed (Native.Message* request = &content)
                Do(Native.mmf_service_is_wanted(Enter(), request, &wanted), false);
            return wanted != 0;
        }
    }

    /// <summary>Sends the last answer; the request is done. If its client is gone, the answer is dropped.</summary>
    /// <param name="answer">Up to AnswerSize bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">More than AnswerSize bytes.</exception>
    /// <exception cref="InvalidOperationException">It was answered or returned; another thread uses the handle.</exception>
    public void Answer(ReadOnlySpan<byte> answer)
    {
        fixed (byte* bytes = answer)
            Answer(bytes, answer.Length, Native.AnswerLast, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Sends the last answer; the request is done. If its client is gone, the answer is dropped.</summary>
    /// <typeparam name="T">A struct without references: its bytes are the answer.</typeparam>
    /// <param name="answer">The answer.</param>
    /// <exception cref="ArgumentOutOfRangeException">More than AnswerSize bytes.</exception>
    /// <exception cref="InvalidOperationException">It was answered or returned; another thread uses the handle.</exception>
    public void Answer<T>(in T answer) where T : unmanaged
    {
        fixed (T* bytes = &answer)
            Answer((byte*)bytes, sizeof(T), Native.AnswerLast, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Sends the last answer, if there is space in time. If its client is gone, the answer is dropped, and that
    /// never waits.</summary>
    /// <param name="answer">Up to AnswerSize bytes.</param>
    /// <param name="timeout">How long to wait for the client to take those before.</param>
    /// <returns>False if as many wait for the client as the creator allowed: the request is still to be answered.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More than AnswerSize bytes, or an invalid timeout.</exception>
    /// <exception cref="InvalidOperationException">It was answered or returned; another thread uses the handle.</exception>
    public bool TryAnswer(ReadOnlySpan<byte> answer, TimeSpan timeout)
    {
        fixed (byte* bytes = answer)
            return Answer(bytes, answer.Length, Native.AnswerLast, timeout);
    }

    /// <summary>Sends an answer that others follow.</summary>
    /// <param name="answer">Up to AnswerSize bytes.</param>
    /// <param name="timeout">How long to wait for the client to take those before.</param>
    /// <returns>False if as many wait for the client as the creator allowed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More than AnswerSize bytes, or an invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">As many wait, and the client is gone.</exception>
    /// <exception cref="InvalidOperationException">It was answered or returned; another thread uses the handle.</exception>
    public bool TryAnswerPart(ReadOnlySpan<byte> answer, TimeSpan timeout)
    {
        fixed (byte* bytes = answer)
            return Answer(bytes, answer.Length, Native.AnswerMore, timeout);
    }

    private bool Answer(byte* bytes, int length, uint flags, TimeSpan timeout)
    {
        int milliseconds = SharedChannelOptions.Milliseconds(timeout);
        byte nothing;

        fixed (Native.Message* request = &content)
            return Do(Native.mmf_service_answer(Enter(), request, length != 0 ? bytes : &nothing, (nuint)length, flags,
                                                milliseconds),
                      flags == Native.AnswerLast);
    }

    /// <summary>Reserves a slot to write an answer in place, and waits for space.</summary>
    /// <param name="length">The most bytes that will be sent.</param>
    /// <returns>Where to write, until CommitAnswer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More than AnswerSize bytes.</exception>
    /// <exception cref="EndOfStreamException">As many answers wait as the creator allowed, and the client is gone.</exception>
    /// <exception cref="InvalidOperationException">It was answered or returned, or an answer is reserved; another thread
    /// uses the handle.</exception>
    public Span<byte> ReserveAnswer(int length)
    {
        TryReserveAnswer(length, out Span<byte> bytes, Timeout.InfiniteTimeSpan);
        return bytes;
    }

    /// <summary>Reserves a slot to write an answer in place, if there is space in time.</summary>
    /// <param name="length">The most bytes that will be sent.</param>
    /// <param name="reserved">Where to write, until CommitAnswer.</param>
    /// <param name="timeout">How long to wait for the client to take those before.</param>
    /// <returns>False if as many wait for the client as the creator allowed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">More than AnswerSize bytes, or an invalid timeout.</exception>
    /// <exception cref="EndOfStreamException">As many answers wait as the creator allowed, and the client is gone.</exception>
    /// <exception cref="InvalidOperationException">It was answered or returned, or an answer is reserved; another thread
    /// uses the handle.</exception>
    public bool TryReserveAnswer(int length, out Span<byte> reserved, TimeSpan timeout)
    {
        int milliseconds = SharedChannelOptions.Milliseconds(timeout);
        byte* bytes = null;
        bool hasSpace;

        ArgumentOutOfRangeException.ThrowIfNegative(length);
        fixed (Native.Message* request = &content)
            hasSpace = Do(Native.mmf_service_reserve_answer(Enter(), request, (nuint)length, milliseconds, &bytes), false);
        reserved = new Span<byte>(bytes, hasSpace ? length : 0);
        return hasSpace;
    }

    /// <summary>Sends the answer that was written in place.</summary>
    /// <param name="count">How many bytes of it.</param>
    /// <param name="isLast">Whether the request is done with it.</param>
    /// <exception cref="ArgumentOutOfRangeException">More than was reserved.</exception>
    /// <exception cref="InvalidOperationException">Nothing is reserved; another thread uses the handle.</exception>
    public void CommitAnswer(int count, bool isLast = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        fixed (Native.Message* request = &content)
            Do(Native.mmf_service_commit_answer(Enter(), request, (nuint)count,
                                                isLast ? Native.AnswerLast : Native.AnswerMore), isLast);
    }

    /// <summary>The request goes to another server, or to this one again, with Deliveries raised.</summary>
    /// <exception cref="InvalidOperationException">It was answered or returned; another thread uses the handle.</exception>
    public void Return()
    {
        fixed (Native.Message* request = &content)
            Do(Native.mmf_service_return(Enter(), request), true);
    }

    /// <summary>Returns the request, unless it was answered or returned.</summary>
    public void Dispose()
    {
        if (!isOver)
            Return();
    }

    private nint Enter() => !isOver && service.Handle.TryEnterForTaken(out nint native) ? native : throw Over();

    private bool Do(int rc, bool ends)
    {
        isOver = ends && rc == Native.Ok;
        service.Handle.Exit(isOver ? -ChannelHandle.OneTaken : 0);
        Failure.Check(rc, Failure.About.Channel);
        return rc == Native.Ok;
    }

    private static InvalidOperationException Over() => new("This request was answered or returned.");
}
