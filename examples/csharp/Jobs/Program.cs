// Work for several processes, of which any may be killed.
//
//   Jobs send COUNT   sends so many jobs, waits until all are done, and sends the workers home
//   Jobs work         does jobs as they come: the work is that you press Enter
//
// Each job goes to one worker. Of a worker that is killed in the middle of one, another worker gets the
// job, and sees that it is the second delivery. No thread waits: for a job and for the end of work at once.
using System;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Mmf.Channels;

using SharedQueue jobs = SharedQueue.CreateOrOpen("Jobs", Unsafe.SizeOf<Job>(), 64, ChannelOverflow.Block);
using var home = new EventWaitHandle(false, EventResetMode.ManualReset, "Jobs are done");

switch (args)
{
    case ["send", string count]:
        for (int i = 0; i < int.Parse(count); i++)
            jobs.Send(new Job(i, i * i));
        Console.WriteLine($"{count} jobs sent");
        jobs.Drain(); // until the last one was released
        Console.WriteLine("all are done");
        home.Set();
        return 0;
    case ["work"]:
        await Work();
        return 0;
    default:
        Console.Error.WriteLine("usage: Jobs send COUNT, Jobs work");
        return 2;
}

async Task Work()
{
    using var stop = new CancellationTokenSource();
    Task end = home.WaitOneAsync().ContinueWith(_ => stop.Cancel());

    try
    {
        for (;;)
        {
            await jobs.WaitToReceiveAsync(stop.Token);
            while (jobs.TryTake(out Message message))
            {
                using (message) // releasing it says that it is done
                    Do(message.As<Job>(), message.Deliveries);
            }
        }
    }
    catch (OperationCanceledException)
    {
        await end;
        Console.WriteLine("home");
    }
}

static void Do(in Job job, int delivery)
{
    Console.WriteLine($"job {job.Number}, delivery {delivery}");
    Console.ReadLine();
}

/// <summary>What a C program sends as struct { int32_t number; int32_t weight; }.</summary>
internal record struct Job(int Number, int Weight);
