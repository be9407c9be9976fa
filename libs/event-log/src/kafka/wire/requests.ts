import { kafkajsApi } from './protocol.js';

export interface ApiVersionsAnswer {
  readonly errorCode: number;
  readonly apiVersions: readonly {
    readonly apiKey: number;
    readonly minVersion: number;
    readonly maxVersion: number;
  }[];
}

export const API_VERSIONS = kafkajsApi<object, ApiVersionsAnswer>('ApiVersions');

export interface MetadataAnswer {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly clusterId: string | null;
  readonly topicMetadata: readonly TopicMetadata[];
}

export interface TopicMetadata {
  readonly topicErrorCode: number;
  readonly topic: string;
  readonly partitionMetadata: readonly PartitionMetadata[];
}

export interface PartitionMetadata {
  readonly partitionId: number;
  /** A node, or -1 while there is none. */
  readonly leader: number;
}

export const METADATA = kafkajsApi<
  { readonly topics: readonly string[]; readonly allowAutoTopicCreation: false },
  MetadataAnswer
>('Metadata');

export interface NewTopic {
  readonly topic: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly configEntries: readonly { readonly name: string; readonly value: string }[];
}

export const CREATE_TOPICS = kafkajsApi<
  { readonly topics: readonly NewTopic[]; readonly timeout: number },
  {
    readonly topicErrors: readonly {
      readonly topic: string;
      readonly errorCode: number;
      readonly errorMessage: string | null;
    }[];
  }
>('CreateTopics');

export const INIT_PRODUCER_ID = kafkajsApi<
  { readonly transactionTimeout: number },
  { readonly errorCode: number; readonly producerId: string; readonly producerEpoch: number }
>('InitProducerId');

export const EARLIEST = -2;
export const LATEST = -1;

export const LIST_OFFSETS = kafkajsApi<
  {
    readonly isolationLevel: number;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number; readonly timestamp: number }[];
    }[];
  },
  {
    readonly responses: readonly {
      readonly topic: string;
      readonly partitions: readonly {
        readonly partition: number;
        readonly errorCode: number;
        readonly offset: string;
      }[];
    }[];
  }
>('ListOffsets');

export const FIND_COORDINATOR = kafkajsApi<
  { readonly groupId: string },
  { readonly errorCode: number; readonly coordinator: { readonly nodeId: number } }
>('GroupCoordinator');

export interface GroupMember {
  readonly memberId: string;
  readonly memberMetadata: Buffer;
}

export interface JoinGroupAnswer {
  readonly errorCode: number;
  readonly generationId: number;
  readonly leaderId: string;
  readonly memberId: string;
  /** Told to the leader only. */
  readonly members: readonly GroupMember[];
}

export const JOIN_GROUP = kafkajsApi<
  {
    readonly groupId: string;
    readonly sessionTimeout: number;
    readonly rebalanceTimeout: number;
    readonly memberId: string;
    readonly protocolType: 'consumer';
    readonly groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[];
  },
  JoinGroupAnswer
>('JoinGroup');

export const SYNC_GROUP = kafkajsApi<
  {
    readonly groupId: string;
    readonly generationId: number;
    readonly memberId: string;
    readonly groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[];
  },
  { readonly errorCode: number; readonly memberAssignment: Buffer }
>('SyncGroup');

export const HEARTBEAT = kafkajsApi<
  { readonly groupId: string; readonly groupGenerationId: number; readonly memberId: string },
  { readonly errorCode: number }
>('Heartbeat');

export const LEAVE_GROUP = kafkajsApi<
  { readonly groupId: string; readonly memberId: string },
  { readonly errorCode: number }
>('LeaveGroup');

export const OFFSET_FETCH = kafkajsApi<
  {
    readonly groupId: string;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number }[];
    }[];
  },
  {
    readonly errorCode: number;
    readonly responses: readonly {
      readonly topic: string;
      readonly partitions: readonly {
        readonly partition: number;
        readonly errorCode: number;
        /** -1 where none is committed. */
        readonly offset: string;
        readonly metadata: string | null;
      }[];
    }[];
  }
>('OffsetFetch');

export const OFFSET_COMMIT = kafkajsApi<
  {
    readonly groupId: string;
    readonly groupGenerationId: number;
    readonly memberId: string;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly {
        readonly partition: number;
        readonly offset: string;
        readonly metadata: string;
      }[];
    }[];
  },
  {
    readonly responses: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number; readonly errorCode: number }[];
    }[];
  }
>('OffsetCommit');
